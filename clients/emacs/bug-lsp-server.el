;;; bug-lsp-server.el --- The way to the server: its connections and its commands  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 the bug-lsp authors
;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; A connection is one of eglot's, of a class of its own, so that what is
;; said here of bug-lsp holds for no other server.

;;; Code:

(require 'eglot)
(require 'seq)

(defgroup bug-lsp nil
  "Several agents debug one bug, and one synthesis answers."
  :group 'tools
  :prefix "bug-lsp-")

(defcustom bug-lsp-command '("bug-lsp" "serve")
  "The program and its arguments.
After these may come `:initializationOptions' and a plist with settings."
  :type '(repeat sexp))

(defconst bug-lsp--timeout 60
  "Seconds until the answer to a command is given up; none waits for an agent.")

(defclass bug-lsp-server (eglot-lsp-server) ()
  :documentation "A connection to bug-lsp.")

(defvar bug-lsp--servers nil
  "Connections, the newest first.  Some may have ended.")

(cl-defmethod initialize-instance :after ((server bug-lsp-server) &rest _)
  "Remember SERVER."
  (push server bug-lsp--servers))

(defun bug-lsp--read-on (request connection &rest arguments)
  "Make REQUEST of CONNECTION with ARGUMENTS, and lose nothing behind its answer.
The answer leaves the process filter of an old jsonrpc by a throw: what has
come with it in one piece lies there until the server says more, which it may
never do.  New ones handle each message from a timer of its own."
  (unwind-protect (apply request connection arguments)
    (when (bug-lsp-server-p connection)
      (run-at-time 0 nil #'bug-lsp--filter (jsonrpc--process connection)))))

(defun bug-lsp--filter (process)
  "Let the filter of PROCESS handle what came before."
  (when (process-live-p process)
    (funcall (process-filter process) process "")))

(advice-add 'jsonrpc-request :around #'bug-lsp--read-on)

(defun bug-lsp--contact (&optional _interactive)
  "The way for eglot to start the server."
  (cons 'bug-lsp-server bug-lsp-command))

(defun bug-lsp--servers ()
  "Connections that are made and have not ended."
  (setq bug-lsp--servers (seq-filter #'jsonrpc-running-p bug-lsp--servers))
  (seq-filter (lambda (server) (slot-boundp server 'capabilities)) bug-lsp--servers))

(defun bug-lsp--root (server)
  "The root of the project that SERVER is for."
  (expand-file-name (project-root (eglot--project server))))

(defun bug-lsp--running ()
  "The connection for the project of the current buffer; nil if there is none."
  (seq-find (lambda (server) (file-in-directory-p default-directory (bug-lsp--root server)))
            (bug-lsp--servers)))

(defun bug-lsp--connect ()
  "Connect, although no task file is open."
  (let ((root (if-let ((project (project-current))) (project-root project) default-directory))
        (eglot-sync-connect t))
    (with-temp-buffer
      (setq default-directory root)
      (setq-local major-mode 'markdown-mode)
      (setq buffer-file-name (expand-file-name "task.md" root))
      (unwind-protect (apply #'eglot--connect (eglot--guess-contact))
        (set-buffer-modified-p nil)
        (setq buffer-file-name nil)))))

(defun bug-lsp--server ()
  "The connection for the project of the current buffer, made if there is none."
  (or (bug-lsp--running) (bug-lsp--connect) (bug-lsp--running)
      (user-error "The bug-lsp server did not start; see the buffer of its errors")))

(defun bug-lsp--reason (err)
  "The sentence of the server in ERR, a signal of jsonrpc."
  (or (alist-get 'jsonrpc-error-message (cdr-safe (cdr-safe err)))
      (error-message-string err)))

(defun bug-lsp--ask (server method params)
  "The answer of SERVER to METHOD with PARAMS.  What it refuses is said."
  (condition-case err
      (jsonrpc-request server method params :timeout bug-lsp--timeout)
    (jsonrpc-error
     (setf (jsonrpc-last-error server) nil) ; else eglot's mode line speaks of it from now on
     (user-error "Bug-lsp: %s" (bug-lsp--reason err)))))

(defun bug-lsp--run (command &optional argument)
  "The result of COMMAND with ARGUMENT, a plist, for the project of this buffer."
  (bug-lsp--ask (bug-lsp--server) :workspace/executeCommand
                (list :command command :arguments (if argument (vector argument) []))))

(defun bug-lsp--uri (path)
  "The address of the file at PATH."
  (if (fboundp 'eglot-path-to-uri) (eglot-path-to-uri path) (eglot--path-to-uri path)))

(defun bug-lsp--path (uri)
  "The path of the file at URI."
  (if (fboundp 'eglot-uri-to-path) (eglot-uri-to-path uri) (eglot--uri-to-path uri)))

(provide 'bug-lsp-server)
;;; bug-lsp-server.el ends here
