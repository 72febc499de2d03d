;;; bug-lsp-edits.el --- Edits of the server, each of which one undo takes out  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 the bug-lsp authors
;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; Eglot makes the edits.  Here it is seen to that they are made without a
;; question, that each is an undo of its own, and that none is made for a text
;; that the server does not know.

;;; Code:

(require 'bug-lsp-beside)

(defvar eglot-confirm-server-edits) ; of newer eglots

(cl-defmethod eglot-handle-request
  ((server bug-lsp-server) (method (eql workspace/applyEdit)) &key edit &allow-other-keys)
  "Make the EDIT of SERVER, or say why it cannot be made; METHOD is that of eglot."
  (let* ((eglot-confirm-server-initiated-edits nil)
         (eglot-confirm-server-edits nil)
         (changes (append (plist-get edit :documentChanges) nil))
         (buffers (mapcar #'bug-lsp--edited changes)))
    (condition-case err
        (progn
          (cl-mapc #'bug-lsp--check changes buffers)
          (dolist (buffer buffers) (with-current-buffer buffer (undo-boundary)))
          (prog1 (cl-call-next-method
                  server method
                  :edit (list :documentChanges (vconcat (cl-mapcar #'bug-lsp--for-eglot
                                                                   changes buffers))))
            (dolist (buffer buffers)
              (with-current-buffer buffer
                (undo-boundary)
                (bug-lsp--tell-all)))))
      (error
       ;; With what has been typed meanwhile the server makes it again.
       (dolist (buffer buffers) (with-current-buffer buffer (bug-lsp--tell-all)))
       (list :applied :json-false :failureReason (error-message-string err))))))

(defun bug-lsp--edited (change)
  "The buffer that CHANGE is about; eglot asks about files that have none."
  (find-file-noselect (bug-lsp--path (plist-get (plist-get change :textDocument) :uri))))

(defun bug-lsp--check (change buffer)
  "Signal an error where CHANGE is for another text than that of BUFFER."
  (let ((version (plist-get (plist-get change :textDocument) :version)))
    (with-current-buffer buffer
      (cond ((bug-lsp--managed-p)) ; eglot looks itself
            (bug-lsp-beside-mode
             (unless (eql version bug-lsp--version)
               (error "%s has changed" (buffer-name))))
            ((buffer-modified-p)
             (error "%s has unsaved changes: save it" (buffer-name)))))))

(defun bug-lsp--for-eglot (change buffer)
  "CHANGE for BUFFER, without a version where that is not eglot's."
  (if (with-current-buffer buffer (bug-lsp--managed-p))
      change
    (list :textDocument (list :uri (plist-get (plist-get change :textDocument) :uri) :version nil)
          :edits (plist-get change :edits))))

(provide 'bug-lsp-edits)
;;; bug-lsp-edits.el ends here
