;;; bug-lsp.el --- Several agents debug one bug, and one synthesis answers  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 the bug-lsp authors
;; SPDX-License-Identifier: Apache-2.0

;; Author: the bug-lsp authors
;; URL: https://github.com/bug-lsp/bug-lsp
;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1") (eglot "1.9") (markdown-mode "2.5"))
;; Keywords: tools, languages

;;; Commentary:

;; bug-lsp is a language server: point at a bug, and several agents debug it
;; in parallel, each in its own copy of your code.  What they found is put
;; together into the bug's task file, a Markdown file of yours.
;;
;;     (require 'bug-lsp)
;;     (bug-lsp-mode)
;;
;; This package adds to what eglot can do with any server: the sessions as
;; live buffers, their progress in the mode line, commands, edits without a
;; question, and findings in buffers that another server manages.

;;; Code:

(require 'bug-lsp-server)
(require 'bug-lsp-documents)
(require 'bug-lsp-progress)
(require 'bug-lsp-beside)
(require 'bug-lsp-edits)
(require 'bug-lsp-list)

(defvar bug-lsp-run-changed-functions nil
  "Called with the id of a run when one of its sessions has begun or ended.")

(defconst bug-lsp--modes '(markdown-mode gfm-mode)
  "The modes of task files.")

;;;; The connection

(cl-defmethod eglot-client-capabilities ((_server bug-lsp-server))
  "Eglot's own, and those of this package.
Questions are left out: they would take the keyboard, and the commands offer
the same at any time."
  (let* ((capabilities (cl-call-next-method))
         (workspace (plist-put (plist-get capabilities :workspace)
                               :textDocumentContent '(:dynamicRegistration :json-false))))
    (plist-put (plist-put capabilities :workspace workspace)
               :window '(:showDocument (:support t) :workDoneProgress t))))

(cl-defmethod eglot-handle-notification
  ((_server bug-lsp-server) (_method (eql window/showMessage)) &key message &allow-other-keys)
  "The server has a MESSAGE."
  (message "bug-lsp: %s" message))

(cl-defmethod eglot-handle-notification
  ((_server bug-lsp-server) (_method (eql bugLsp/runChanged)) &key debugRunId)
  "Something of the run DEBUGRUNID has changed."
  (run-hook-with-args 'bug-lsp-run-changed-functions debugRunId))

(defun bug-lsp--ensure ()
  "Connect for the task file in the current buffer, if it lies in a project."
  (when (and buffer-file-name (project-current)) (eglot-ensure)))

;;;###autoload
(define-minor-mode bug-lsp-mode
  "Several agents debug the bugs that your Markdown files describe."
  :global t
  :group 'bug-lsp
  (let ((entry (cons bug-lsp--modes #'bug-lsp--contact)))
    (setq eglot-server-programs (delete entry eglot-server-programs))
    (if bug-lsp-mode
        (progn (push entry eglot-server-programs)
               (add-hook 'markdown-mode-hook #'bug-lsp--ensure))
      (remove-hook 'markdown-mode-hook #'bug-lsp--ensure))))

;;;; What is pointed at

(defun bug-lsp--lines ()
  "The region, or the line of point, as a range of whole lines."
  (let* ((beg (if (use-region-p) (region-beginning) (point)))
         (end (if (use-region-p) (region-end) (point)))
         (first (1- (line-number-at-pos beg t)))
         (last (1- (line-number-at-pos end t)))
         (ends-before (save-excursion (goto-char end) (bolp))))
    (list :start (list :line first :character 0)
          :end (list :line (if (and (use-region-p) (not ends-before)) (1+ last) last)
                     :character 0))))

(defun bug-lsp--diagnostics ()
  "The diagnostics on the line of point, as in LSP."
  (mapcar
   (lambda (one)
     (let ((data (flymake-diagnostic-data one)))
       (or (and (consp data) (consp (car data))
                (or (alist-get 'bug-lsp data) (alist-get 'eglot-lsp-diag data)))
           (list :range (bug-lsp--lines)
                 :message (flymake-diagnostic-text one)
                 :source "Flymake"))))
   (and (bound-and-true-p flymake-mode)
        (flymake-diagnostics (line-beginning-position) (line-end-position)))))

(defun bug-lsp--subject ()
  "What `bug-lsp-debug' is about, as the argument of the server's command."
  (let* ((reported (seq-remove (lambda (one) (equal (plist-get one :source) "bug-lsp"))
                               (bug-lsp--diagnostics)))
         (context (and buffer-file-name
                       (list :context (list :uri (bug-lsp--uri buffer-file-name)
                                            :range (bug-lsp--lines)
                                            :diagnostics (vconcat reported))))))
    (cond ((and (derived-mode-p 'markdown-mode) buffer-file-name (not (use-region-p)))
           (list :taskUri (bug-lsp--uri buffer-file-name)))
          ((and context (or reported (use-region-p))) context)
          (t (append (list :title (bug-lsp--sentence)) context)))))

(defun bug-lsp--sentence ()
  "What is wrong, as the user types it."
  (let ((said (string-trim (read-string "What is wrong? "))))
    (if (string-empty-p said) (user-error "Say in a sentence what is wrong") said)))

(defun bug-lsp--read-agents ()
  "Agents that the user chooses, as the server's command has them."
  (let* ((agents (append (plist-get (bug-lsp--run "listAgents") :agents) nil))
         (names (seq-remove (lambda (name) (equal name "digest"))
                            (mapcar (lambda (one) (plist-get one :agentType))
                                    (seq-filter (lambda (one) (eq (plist-get one :installed) t))
                                                agents))))
         (chosen (completing-read-multiple "Debug with which agents (with commas)? " names nil t)))
    (unless chosen (user-error "Choose an agent at least"))
    (vconcat (mapcar (lambda (name) (list :agentType name)) chosen))))

;;;; Commands

;;;###autoload
(defun bug-lsp-debug (&optional choose)
  "Debug the region, the task file, the diagnostics here, or a sentence.
With a prefix argument CHOOSE you are asked with which agents."
  (interactive "P")
  (bug-lsp--tell-all)
  (let* ((agents (and choose (list :agents (bug-lsp--read-agents))))
         (run (bug-lsp--run "debugWithAgents" (append (bug-lsp--subject) agents))))
    (message "%s: being debugged by %s"
             (abbreviate-file-name (bug-lsp--path (plist-get run :taskUri)))
             (mapconcat (lambda (one) (plist-get one :agentType)) (plist-get run :sessions) ", "))))

(defun bug-lsp--runs ()
  "All that the server has for the project, the newest first."
  (or (append (plist-get (bug-lsp--run "listDebugRuns") :runs) nil)
      (user-error "There is no run yet; M-x bug-lsp-debug starts one")))

;;;###autoload
(defun bug-lsp-runs ()
  "Choose a run, then one of its sessions to be shown, or its task file."
  (interactive)
  (let* ((run (bug-lsp--choose "Run: " (bug-lsp--runs) #'bug-lsp--run-line))
         (one (bug-lsp--choose
               "Show: " (cons run (bug-lsp--sessions run))
               (lambda (item) (if (eq item run) "The task file" (bug-lsp--session-line item))))))
    (if (eq one run)
        (find-file (bug-lsp--path (plist-get run :taskUri)))
      (bug-lsp--run "openSession" (list :sessionId (plist-get one :sessionId))))))

;;;###autoload
(defun bug-lsp-orchestrate (&optional force)
  "Have the synthesis of the newest run written; with a prefix FORCE, anew."
  (interactive "P")
  (let ((result (bug-lsp--run "orchestrateDebugRun" (and force '(:force t)))))
    (unless (eq (plist-get result :isNew) t)
      (message "There is a synthesis, or one is being written; with C-u a new one is made"))))

;;;###autoload
(defun bug-lsp-cancel (&optional all)
  "Cancel a session that you choose; with a prefix ALL, the newest run."
  (interactive "P")
  (if all
      (bug-lsp--run "cancelDebugRun")
    (let* ((going (seq-filter #'bug-lsp--running-p
                              (seq-mapcat #'bug-lsp--sessions (bug-lsp--runs))))
           (one (if going
                    (bug-lsp--choose "Cancel: " going #'bug-lsp--session-line)
                  (user-error "Nothing is running"))))
      (bug-lsp--run "cancelSession" (list :sessionId (plist-get one :sessionId))))))

;;;###autoload
(defun bug-lsp-apply (&optional force)
  "Bring a patch of the newest run into your buffers.
One that is not proven is so marked in the list; a prefix FORCE is for those
that the server refuses all the same."
  (interactive "P")
  (let* ((report (bug-lsp--run "getDebugRunReport"))
         (patches (or (append (plist-get report :patches) nil)
                      (user-error "No session of %s has handed in a patch"
                                  (plist-get report :title))))
         (patch (bug-lsp--choose "Apply the patch of: " patches #'bug-lsp--patch-line)))
    (bug-lsp--run "applyPatch"
                  (append (list :sessionId (plist-get patch :sessionId))
                          (and (or force (not (eq (plist-get patch :proven) t))) '(:force t))))))

;;;###autoload
(defun bug-lsp-act ()
  "Choose one of the code actions at point, in a buffer of any mode."
  (interactive)
  (unless buffer-file-name (user-error "This buffer has no file"))
  (bug-lsp--tell-all)
  (let* ((actions (bug-lsp--ask (bug-lsp--server) :textDocument/codeAction
                                (list :textDocument (list :uri (bug-lsp--uri buffer-file-name))
                                      :range (bug-lsp--lines)
                                      :context (list :diagnostics
                                                     (vconcat (bug-lsp--diagnostics))))))
         (chosen (if (seq-empty-p actions)
                     (user-error "There is nothing to be done here; see M-x bug-lsp-debug")
                   (bug-lsp--choose "Do: " (append actions nil)
                                    (lambda (one) (plist-get one :title)))))
         (command (plist-get chosen :command)))
    (bug-lsp--run (plist-get command :command) (aref (plist-get command :arguments) 0))))

;;;###autoload
(defun bug-lsp-doctor ()
  "Show which agents can run here, and how to fix those that cannot."
  (interactive)
  (let ((agents (plist-get (bug-lsp--run "listAgents") :agents)))
    (with-help-window "*bug-lsp doctor*"
      (princ (mapconcat #'bug-lsp--agent-line agents "")))))

(provide 'bug-lsp)
;;; bug-lsp.el ends here
