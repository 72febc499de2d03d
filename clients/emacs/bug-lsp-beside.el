;;; bug-lsp-beside.el --- bug-lsp in buffers that another server manages  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 the bug-lsp authors
;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; Eglot has one server for a buffer, and that of code is the server of its
;; language.  So what bug-lsp has found in a file is shown by a Flymake backend
;; of its own; and where it has found something, or is asked about a place, it
;; is told the buffer's text, saved or not, so that a patch is made for that.

;;; Code:

(require 'bug-lsp-server)
(require 'flymake)

(defcustom bug-lsp-idle-time 0.3
  "Seconds without a key until the server is told what has been typed."
  :type 'number
  :group 'bug-lsp)

(defvar bug-lsp--found (make-hash-table :test #'equal)
  "Diagnostics as the server published them, by path.")
(defvar-local bug-lsp--version nil
  "The version of this buffer's text, counted since the server knows it.")
(defvar-local bug-lsp--listener nil
  "The connection that knows this buffer's text.")
(defvar-local bug-lsp--told nil
  "The version that the server was told.")
(defvar-local bug-lsp--teller nil
  "The timer that tells it.")
(defvar-local bug-lsp--report nil
  "What Flymake wants to be called with.")

(defun bug-lsp--managed-p ()
  "Whether eglot manages the current buffer with bug-lsp."
  (and (eglot-managed-p) (bug-lsp-server-p (eglot-current-server))))

;;;; Its text

(define-minor-mode bug-lsp-beside-mode
  "Has bug-lsp know the text of a buffer that it does not manage."
  :lighter nil
  (if bug-lsp-beside-mode
      (progn
        (setq bug-lsp--version 1
              bug-lsp--told 1
              bug-lsp--listener (bug-lsp--server))
        (jsonrpc-notify bug-lsp--listener :textDocument/didOpen
                        (list :textDocument
                              (append (bug-lsp--document-id)
                                      (list :languageId (bug-lsp--language)
                                            :text (bug-lsp--text)))))
        (add-hook 'after-change-functions #'bug-lsp--changed nil t)
        (add-hook 'after-save-hook #'bug-lsp--saved nil t)
        (add-hook 'kill-buffer-hook #'bug-lsp--leave nil t)
        (add-hook 'change-major-mode-hook #'bug-lsp--leave nil t))
    (remove-hook 'after-change-functions #'bug-lsp--changed t)
    (remove-hook 'after-save-hook #'bug-lsp--saved t)
    (remove-hook 'kill-buffer-hook #'bug-lsp--leave t)
    (remove-hook 'change-major-mode-hook #'bug-lsp--leave t)
    (when (memq bug-lsp--listener (bug-lsp--servers))
      (jsonrpc-notify bug-lsp--listener :textDocument/didClose
                      (list :textDocument (list :uri (bug-lsp--uri buffer-file-name)))))))

(defun bug-lsp--heard-p ()
  "Whether this buffer is known to a server: not to one that was started anew."
  (and bug-lsp-beside-mode (memq bug-lsp--listener (bug-lsp--servers))))

(defun bug-lsp--leave ()
  "Turn `bug-lsp-beside-mode' off."
  (bug-lsp-beside-mode -1))

(defun bug-lsp--document-id ()
  "The current buffer as a versioned document."
  (list :uri (bug-lsp--uri buffer-file-name) :version bug-lsp--version))

(defun bug-lsp--language ()
  "The name of the current buffer's language."
  (string-remove-suffix "-mode" (symbol-name major-mode)))

(defun bug-lsp--text ()
  "The whole text of the current buffer."
  (save-restriction
    (widen)
    (buffer-substring-no-properties (point-min) (point-max))))

(defun bug-lsp--changed (&rest _)
  "The buffer has changed."
  (setq bug-lsp--version (1+ bug-lsp--version))
  (when bug-lsp--teller (cancel-timer bug-lsp--teller))
  (setq bug-lsp--teller (run-with-idle-timer bug-lsp-idle-time nil #'bug-lsp--tell
                                             (current-buffer))))

(defun bug-lsp--tell (buffer)
  "Tell the server the text of BUFFER, if it does not know it."
  (when (buffer-live-p buffer)
    (with-current-buffer buffer
      (when (and (bug-lsp--heard-p) (/= bug-lsp--told bug-lsp--version))
        (setq bug-lsp--told bug-lsp--version)
        (jsonrpc-notify bug-lsp--listener :textDocument/didChange
                        (list :textDocument (bug-lsp--document-id)
                              :contentChanges (vector (list :text (bug-lsp--text)))))))))

(defun bug-lsp--saved ()
  "The buffer has been saved."
  (bug-lsp--tell (current-buffer))
  (when (bug-lsp--heard-p)
    (jsonrpc-notify bug-lsp--listener :textDocument/didSave
                    (list :textDocument (list :uri (bug-lsp--uri buffer-file-name))))))

(defun bug-lsp--tell-all ()
  "Have the server know the text of the current buffer as it is now."
  (cond ((bug-lsp--managed-p) (eglot--signal-textDocument/didChange))
        ((bug-lsp--heard-p) (bug-lsp--tell (current-buffer)))
        (buffer-file-name (bug-lsp-beside-mode 1))))

;;;; What was found in it

(cl-defmethod eglot-handle-notification
  ((_server bug-lsp-server) (_method (eql textDocument/publishDiagnostics))
   &key uri diagnostics &allow-other-keys)
  "The DIAGNOSTICS of the file at URI are these now."
  (let* ((path (bug-lsp--path uri))
         (buffer (find-buffer-visiting path)))
    (if (seq-empty-p diagnostics)
        (remhash path bug-lsp--found)
      (puthash path diagnostics bug-lsp--found))
    (if (and buffer (with-current-buffer buffer (not (bug-lsp--managed-p))))
        (with-current-buffer buffer (bug-lsp--show))
      (cl-call-next-method))))

(defun bug-lsp--show ()
  "Show what was found in the file of the current buffer."
  (when (and buffer-file-name
             (not (bug-lsp--managed-p))
             (or bug-lsp--report (gethash (file-truename buffer-file-name) bug-lsp--found)))
    (unless (bug-lsp--heard-p) (bug-lsp-beside-mode 1))
    ;; Where Flymake is off, nothing but this is to be shown by it.
    (unless flymake-mode (setq-local flymake-diagnostic-functions nil))
    (add-hook 'flymake-diagnostic-functions #'bug-lsp-flymake nil t)
    (if (and flymake-mode bug-lsp--report)
        (bug-lsp-flymake bug-lsp--report)
      (flymake-mode 1)
      (flymake-start))))

(defun bug-lsp-flymake (report &rest _)
  "Call REPORT with what bug-lsp has found in this buffer."
  (setq bug-lsp--report report)
  (save-restriction
    (widen)
    (funcall report
             (mapcar #'bug-lsp--diagnostic
                     (gethash (file-truename buffer-file-name) bug-lsp--found))
             :region (cons (point-min) (point-max)))))

(defun bug-lsp--diagnostic (found)
  "The diagnostic FOUND, which is about a line, as Flymake has it."
  (let ((line (plist-get (plist-get (plist-get found :range) :start) :line))
        (severity (plist-get found :severity)))
    (save-excursion
      (goto-char (point-min))
      (forward-line line)
      (back-to-indentation)
      (flymake-make-diagnostic
       (current-buffer) (point) (max (line-end-position) (min (1+ (point)) (point-max)))
       (cond ((eql severity 1) :error) ((eql severity 2) :warning) (t :note))
       (concat "bug-lsp: " (plist-get found :message))
       `((bug-lsp . ,found))))))

(add-hook 'find-file-hook #'bug-lsp--show)

(provide 'bug-lsp-beside)
;;; bug-lsp-beside.el ends here
