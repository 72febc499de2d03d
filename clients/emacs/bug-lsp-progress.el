;;; bug-lsp-progress.el --- What the agents are doing, in the mode line  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 the bug-lsp authors
;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; The server reports a progress for each session.  While agents work the mode
;; line says at what; how each has ended is a message.

;;; Code:

(require 'bug-lsp-server)

(defvar bug-lsp--progress nil
  "All that work: an alist of tokens and (SERVER LABEL MESSAGE).")

(cl-defmethod eglot-handle-notification
  ((server bug-lsp-server) (_method (eql $/progress)) &key token value)
  "The session of TOKEN at SERVER is where VALUE has it."
  (let ((known (alist-get token bug-lsp--progress nil nil #'equal))
        (message (plist-get value :message)))
    (pcase (plist-get value :kind)
      ("begin"
       (let ((label (car (split-string (plist-get value :title) ":"))))
         (setf (alist-get token bug-lsp--progress nil nil #'equal) (list server label message))))
      ("report" (when (and known message) (setf (nth 2 known) message)))
      ("end"
       (setf (alist-get token bug-lsp--progress nil t #'equal) nil)
       (when known (message "%s: %s" (nth 1 known) message))))
    (force-mode-line-update t)))

(defun bug-lsp-status ()
  "One line about all agents that work, \"\" while none does."
  (let ((running (seq-filter (lambda (one) (jsonrpc-running-p (cadr one))) bug-lsp--progress)))
    (mapconcat (lambda (one) (or (nth 3 one) (nth 2 one)))
               (sort running (lambda (one other) (string< (nth 2 one) (nth 2 other))))
               " | ")))

(defun bug-lsp--mode-line ()
  "The part of the mode line about agents."
  (let ((status (bug-lsp-status)))
    (if (string-empty-p status) "" (format "[%s] " (replace-regexp-in-string "%" "%%" status)))))

(add-to-list 'mode-line-misc-info '(:eval (bug-lsp--mode-line)))

(provide 'bug-lsp-progress)
;;; bug-lsp-progress.el ends here
