;;; bug-lsp-list.el --- Runs, sessions and agents, as they are shown in a list  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 the bug-lsp authors
;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; They are plists, as the server tells them.

;;; Code:

(require 'seq)
(require 'subr-x)

(defun bug-lsp--choose (prompt items line)
  "One of ITEMS, asked for with PROMPT and shown by the function LINE."
  (let* ((choices (mapcar (lambda (item) (cons (funcall line item) item)) items))
         (table (lambda (string predicate action)
                  (if (eq action 'metadata)
                      '(metadata (display-sort-function . identity))
                    (complete-with-action action choices string predicate)))))
    (cdr (assoc (completing-read prompt table nil t) choices))))

(defun bug-lsp--running-p (session)
  "Whether SESSION has not ended."
  (member (plist-get session :status) '("pending" "running")))

(defun bug-lsp--sessions (run)
  "All sessions of RUN, the orchestrator last."
  (append (plist-get run :sessions)
          (seq-filter #'identity (list (plist-get run :proof) (plist-get run :orchestrator)))))

(defun bug-lsp--session-line (session)
  "SESSION in a list."
  (let ((activity (plist-get session :activity)))
    (format "%s %s (%s%s)"
            (car (split-string (plist-get session :title) ":"))
            (plist-get session :agentType)
            (plist-get session :status)
            (if (and (bug-lsp--running-p session) (not (string-empty-p activity)))
                (concat ", " activity)
              ""))))

(defun bug-lsp--run-line (run)
  "RUN in a list."
  (let ((going (seq-count #'bug-lsp--running-p (bug-lsp--sessions run))))
    (format "%s  %s (%s%d of %d completed%s)"
            (string-replace "T" " " (substring (plist-get run :createdAt) 0 19))
            (plist-get run :title)
            (if (> going 0) (format "%d at work, " going) "")
            (plist-get run :completedCount)
            (plist-get run :totalCount)
            (if (or (> going 0) (eq (plist-get run :delivered) t)) "" ", no synthesis"))))

(defun bug-lsp--patch-line (patch)
  "PATCH in a list."
  (format "%s%s (%s)"
          (plist-get patch :label)
          (if (eq (plist-get patch :proven) t) "" ", not proven")
          (plist-get patch :facts)))

(defun bug-lsp--agent-line (agent)
  "AGENT in the buffer of `bug-lsp-doctor'."
  (format "%-12s %-8s %s\n"
          (plist-get agent :agentType)
          (cond ((eq (plist-get agent :ready) t) "ready")
                ((eq (plist-get agent :installed) t) "not yet")
                (t "missing"))
          (if (eq (plist-get agent :ready) t)
              (or (plist-get agent :version) "")
            (plist-get agent :hint))))

(provide 'bug-lsp-list)
;;; bug-lsp-list.el ends here
