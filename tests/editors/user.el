;;; user.el --- The user of Emacs in a test  -*- lexical-binding: t; -*-

;;; Commentary:

;; Picks from lists what the test has said, types what it has said, and remembers what was asked.

;;; Code:

(require 'cl-lib)
(require 'json)
(require 'server)

(setq inhibit-startup-screen t
      make-backup-files nil
      auto-save-default nil
      create-lockfiles nil
      ring-bell-function #'ignore
      server-socket-dir (getenv "BUG_LSP_HOME")
      server-name "emacs"
      user-emacs-directory (file-name-as-directory (getenv "BUG_LSP_HOME")))
(setenv "LD_LIBRARY_PATH" nil)
;; Else it would call a compiler before it lets `read-string' be replaced.
(defvar comp-enable-subr-trampolines)
(defvar native-comp-enable-subr-trampolines)
(setq comp-enable-subr-trampolines nil
      native-comp-enable-subr-trampolines nil)

(defvar user-asked nil "What was asked, the latest first.")
(defvar user-picks nil "What is picked or typed next.")
(defvar given nil "The arguments of the test.")

(defun user-pick (prompt collection &rest _)
  "Pick from COLLECTION, asked with PROMPT; without a pick the user goes away."
  (let* ((all (all-completions "" collection))
         (pick (pop user-picks))
         (found (seq-find (lambda (one) (and pick (string-prefix-p pick one))) all)))
    (push `((prompt . ,prompt) (lines . ,(vconcat all))) user-asked)
    (or found (signal 'quit nil))))

(defun user-pick-several (prompt collection &rest _)
  "Pick several from COLLECTION, asked with PROMPT: a pick has commas."
  (push `((prompt . ,prompt) (lines . ,(vconcat (all-completions "" collection)))) user-asked)
  (split-string (pop user-picks) ","))

(defun user-type (prompt &rest _)
  "Type a line, asked for with PROMPT."
  (push `((prompt . ,prompt) (lines . [])) user-asked)
  (or (pop user-picks) (signal 'quit nil)))

(setq completing-read-function #'user-pick)
(advice-add 'completing-read-multiple :override #'user-pick-several)
(advice-add 'read-string :override #'user-type)

(defun user-buffer (name)
  "The buffer in whose name, or file's name, NAME is."
  (or (get-buffer name)
      (seq-find (lambda (buffer)
                  (string-search name (or (buffer-file-name buffer) (buffer-name buffer))))
                (buffer-list))))

(defun user-text (name)
  "The text of the buffer NAME, or \"\"."
  (let ((buffer (user-buffer name)))
    (if buffer
        (with-current-buffer buffer
          (save-restriction (widen) (buffer-substring-no-properties (point-min) (point-max))))
      "")))

(defun user-has (name text)
  "Whether TEXT stands in the buffer NAME."
  (and (string-search text (user-text name)) t))

(defun user-do (command &optional prefix)
  "Run COMMAND in the selected window as if its key was pressed, with a PREFIX."
  (with-current-buffer (window-buffer (selected-window))
    (let ((current-prefix-arg prefix))
      (undo-boundary)
      (condition-case err
          (call-interactively command)
        (quit nil)
        (user-error (message "%s" (error-message-string err))))
      (undo-boundary)
      t)))

(defun user-lint ()
  "Have Flymake show what a linter of the user's has found on this line."
  (add-hook 'flymake-diagnostic-functions
            (lambda (report &rest _)
              (funcall report
                       (list (flymake-make-diagnostic (current-buffer)
                                                      (line-beginning-position)
                                                      (line-end-position)
                                                      :warning "suspicious sign"))))
            nil t)
  (flymake-mode 1)
  (flymake-start))

(defun user-value (arguments code)
  "What CODE comes to with ARGUMENTS, in a form that survives the way to the test."
  (let ((given (append (json-parse-string
                        (decode-coding-string (base64-decode-string arguments) 'utf-8)
                        :object-type 'alist)
                       nil)))
    (base64-encode-string
     (encode-coding-string
      (condition-case err
          (let ((value (with-current-buffer (window-buffer (selected-window)) (eval code t))))
            (json-encode (list "value" (if (bufferp value) (buffer-name value) value))))
        ((error quit) (json-encode (list "error" (error-message-string err)))))
      'utf-8)
     t)))

(defun user-quit ()
  "Quit, whatever is unsaved."
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer (set-buffer-modified-p nil)))
  (let ((kill-emacs-query-functions nil) (confirm-kill-processes nil))
    (kill-emacs)))

(server-start)
(provide 'user)
;;; user.el ends here
