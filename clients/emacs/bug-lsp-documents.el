;;; bug-lsp-documents.el --- Live documents: buffers with what the server has for an address  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 the bug-lsp authors
;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; A session's document grows while its agent works.  The server says that
;; there is more; it is read, one request at a time, and every window that is
;; at its end stays there.

;;; Code:

(require 'bug-lsp-server)
(require 'markdown-mode)

(defvar-local bug-lsp--address nil
  "The address of the document in this buffer.")
(defvar-local bug-lsp--source nil
  "The connection that it is read from.")
(defvar-local bug-lsp--reading nil
  "Non-nil while it is being read; `again' if it is to be read once more.")

(define-minor-mode bug-lsp-document-mode
  "Shows a live document of bug-lsp, which cannot be edited."
  :lighter " Live"
  (setq buffer-read-only t
        revert-buffer-function (lambda (&rest _) (bug-lsp--read-document))))

(defun bug-lsp--document (server uri)
  "The buffer with the document of SERVER at URI."
  (let ((buffer (or (bug-lsp--find-document uri) (generate-new-buffer (format "*%s*" uri)))))
    (with-current-buffer buffer
      (unless bug-lsp--address
        (setq default-directory (bug-lsp--root server))
        (if (string-suffix-p ".diff" uri) (diff-mode) (markdown-mode))
        (setq bug-lsp--address uri)
        (bug-lsp-document-mode))
      (setq bug-lsp--source server)
      (bug-lsp--read-document))
    buffer))

(defun bug-lsp--find-document (uri)
  "The buffer with the document at URI, or nil."
  (seq-find (lambda (buffer) (equal (buffer-local-value 'bug-lsp--address buffer) uri))
            (buffer-list)))

(defun bug-lsp--read-document ()
  "Read the document in the current buffer."
  (if bug-lsp--reading
      (setq bug-lsp--reading 'again)
    (setq bug-lsp--reading t)
    (let ((buffer (current-buffer)))
      (jsonrpc-async-request
       bug-lsp--source :workspace/textDocumentContent (list :uri bug-lsp--address)
       :success-fn (lambda (result)
                     (bug-lsp--have-read buffer (plist-get result :text)))
       :error-fn (lambda (err)
                   (bug-lsp--have-read buffer nil)
                   (message "bug-lsp: %s" (plist-get err :message)))
       :timeout-fn (lambda () (bug-lsp--have-read buffer nil))))))

(defun bug-lsp--have-read (buffer text)
  "Put TEXT into BUFFER, unless it is nil, and read again if there is more."
  (when (buffer-live-p buffer)
    (with-current-buffer buffer
      (when text
        (bug-lsp--replace text)
        (bug-lsp--name-document))
      (let ((again (eq bug-lsp--reading 'again)))
        (setq bug-lsp--reading nil)
        (when again (bug-lsp--read-document))))))

(defun bug-lsp--replace (text)
  "Make TEXT the buffer's: windows at its end stay there, others on their line."
  (let* ((inhibit-read-only t)
         (windows (get-buffer-window-list nil nil t))
         (places (mapcar (lambda (window) (bug-lsp--place (window-point window))) windows))
         (starts (mapcar (lambda (window) (line-number-at-pos (window-start window))) windows))
         (own (bug-lsp--place (point))))
    (let ((source (current-buffer)))
      (with-temp-buffer
        (insert text)
        (let ((new (current-buffer)))
          (with-current-buffer source
            ;; Longer than that it would look for the least change; then all is replaced.
            (replace-buffer-contents new 0.1)))))
    (set-buffer-modified-p nil)
    (goto-char (bug-lsp--position own))
    (cl-loop for window in windows
             for place in places
             for start in starts
             do (set-window-point window (bug-lsp--position place))
             unless (eq place 'end)
             do (set-window-start window (bug-lsp--position (cons start 0)) t))))

(defun bug-lsp--place (position)
  "Where POSITION is: `end', or a line and a column."
  (if (and (= position (point-max)) (not (derived-mode-p 'diff-mode)))
      'end
    (save-excursion
      (goto-char position)
      (cons (line-number-at-pos) (- (point) (line-beginning-position))))))

(defun bug-lsp--position (place)
  "The position of PLACE, see `bug-lsp--place'."
  (if (eq place 'end)
      (point-max)
    (save-excursion
      (goto-char (point-min))
      (forward-line (1- (car place)))
      (min (+ (point) (cdr place)) (line-end-position)))))

(defun bug-lsp--name-document ()
  "Name the buffer after the title of its document."
  (save-excursion
    (goto-char (point-min))
    (when (and (string-prefix-p "*bug-lsp:/" (buffer-name))
               (derived-mode-p 'markdown-mode)
               (re-search-forward "^# \\(.+\\)$" nil t))
      (rename-buffer (format "*%s*" (match-string-no-properties 1)) t))))

(cl-defmethod eglot-handle-request
  ((_server bug-lsp-server) (_method (eql workspace/textDocumentContent/refresh)) &key uri)
  "There is more text at URI."
  (when-let ((buffer (bug-lsp--find-document uri)))
    (with-current-buffer buffer (bug-lsp--read-document)))
  nil)

(cl-defmethod eglot-handle-request
  ((server bug-lsp-server) (_method (eql window/showDocument))
   &key uri takeFocus selection &allow-other-keys)
  "Show the document of SERVER at URI, and go to it where TAKEFOCUS is true.
SELECTION is the place in it."
  (let ((buffer (if (string-prefix-p "file:" uri)
                    (find-file-noselect (bug-lsp--path uri))
                  (bug-lsp--document server uri))))
    (if (and (eq takeFocus t) (not (active-minibuffer-window)))
        (pop-to-buffer buffer)
      ;; In a window of its own: what the user looks at stays.
      (display-buffer buffer '((display-buffer-reuse-window
                                display-buffer-pop-up-window
                                display-buffer-below-selected)
                               (inhibit-same-window . t))))
    (when-let ((window (and selection (get-buffer-window buffer t))))
      (with-current-buffer buffer
        (set-window-point
         window
         (bug-lsp--position (cons (1+ (plist-get (plist-get selection :start) :line)) 0)))))
    '(:success t)))

(provide 'bug-lsp-documents)
;;; bug-lsp-documents.el ends here
