/** Live documents that grow are read at their end, as in a terminal, unless the user reads elsewhere. */
import * as vscode from 'vscode';

import { SCHEME } from './documents';

/** Keeps a growing document at its end until the user scrolls up, and again from when they are back. */
export class Follow implements vscode.Disposable {
  private readonly left = new WeakSet<vscode.TextEditor>();
  private readonly tops = new WeakMap<vscode.TextEditor, number>();
  private readonly held: vscode.Disposable[];

  constructor() {
    this.held = [
      vscode.window.onDidChangeTextEditorVisibleRanges(({ textEditor }) => {
        this.scrolled(textEditor);
      }),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        this.grown(document);
      }),
    ];
  }

  private scrolled(editor: vscode.TextEditor): void {
    const seen = editor.visibleRanges.at(-1);
    if (editor.document.uri.scheme !== SCHEME || seen === undefined) {
      return;
    }
    const top = editor.visibleRanges[0]?.start.line ?? 0;
    if (seen.end.line >= editor.document.lineCount - 2) {
      this.left.delete(editor);
    } else if (top < (this.tops.get(editor) ?? 0)) {
      this.left.add(editor);
    }
    this.tops.set(editor, top);
  }

  private grown(document: vscode.TextDocument): void {
    for (const editor of vscode.window.visibleTextEditors) {
      if (editor.document === document && document.uri.scheme === SCHEME && !this.left.has(editor)) {
        const end = document.lineAt(document.lineCount - 1).range;
        editor.revealRange(end, vscode.TextEditorRevealType.Default);
      }
    }
  }

  dispose(): void {
    for (const one of this.held) {
      one.dispose();
    }
  }
}
