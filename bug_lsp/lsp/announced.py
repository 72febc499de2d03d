"""What the answer to `initialize` says that the server can do. What does it is loaded after that
answer, so it is named here; a test compares the two.
"""

from __future__ import annotations

from lsprotocol import types

TASK_KIND = "bugLsp"
"""Of the code actions that are offered without a diagnostic. Filters of an editor (refactor,
source) leave it out.
"""
COMMANDS = (
    "debugWithAgents",
    "getDebugRunStatus",
    "orchestrateDebugRun",
    "cancelDebugRun",
    "cancelSession",
    "listDebugRuns",
    "getTaskSessions",
    "openSession",
    "listAgents",
    "deleteDebugRun",
    "createDemo",
    "showPatch",
    "getSessionPatch",
    "applyPatch",
    "getDebugRunReport",
    "dismissFinding",
    "openPlace",
    "retrySession",
    "retryFailed",
    "addAgent",
    "synthesiseNow",
    "messageSession",
)


def announce(capabilities: types.ServerCapabilities) -> None:
    """Add what is ours to what pygls can do by itself."""
    kinds = [types.CodeActionKind.QuickFix, TASK_KIND]
    capabilities.code_action_provider = types.CodeActionOptions(code_action_kinds=kinds)
    capabilities.code_lens_provider = types.CodeLensOptions(resolve_provider=False)
    capabilities.document_link_provider = types.DocumentLinkOptions(resolve_provider=False)
    capabilities.execute_command_provider = types.ExecuteCommandOptions(commands=COMMANDS)
    if isinstance(capabilities.text_document_sync, types.TextDocumentSyncOptions):
        capabilities.text_document_sync.save = True
    workspace = capabilities.workspace or types.WorkspaceOptions()
    workspace.text_document_content = types.TextDocumentContentOptions(schemes=["bug-lsp"])
    capabilities.workspace = workspace
