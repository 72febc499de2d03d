"""`python -m bug_lsp`: the same program as `bug-lsp`."""

from __future__ import annotations

import sys

from bug_lsp.cli import main

sys.exit(main())
