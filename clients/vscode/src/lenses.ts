/** The links at the end of a session's document as code lenses: in plain text their addresses are long. */
import * as vscode from 'vscode';

import { goTo, SCHEME } from './documents';

const GO_TO = 'bugLsp.goTo';
const LINK = /^- \[([^\]]+)\]\(([^)\s]+)\)$/;

function lenses(document: vscode.TextDocument): vscode.CodeLens[] {
  const lines = document.getText().trimEnd().split('\n');
  const end = lines.findLastIndex((line) => !LINK.test(line));
  const range = new vscode.Range(Math.max(end, 0), 0, Math.max(end, 0), 0);
  return lines.slice(end + 1).map((line) => {
    const [, title = '', uri = ''] = LINK.exec(line) ?? [];
    return new vscode.CodeLens(range, { command: GO_TO, title, arguments: [vscode.Uri.parse(uri)] });
  });
}

export function offerLinks(): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.commands.registerCommand(GO_TO, goTo),
    vscode.languages.registerCodeLensProvider({ scheme: SCHEME }, { provideCodeLenses: lenses }),
  );
}
