/** VS Code forgets documents that are no files when the window is loaded again: these come back. */
import * as vscode from 'vscode';

import { SCHEME } from './documents';

const KEY = 'open documents';

interface Kept {
  uri: string;
  column: number;
  active: boolean;
}

function opened(): Kept[] {
  return vscode.window.tabGroups.all.flatMap((group) =>
    group.tabs.flatMap((tab) =>
      tab.input instanceof vscode.TabInputText && tab.input.uri.scheme === SCHEME
        ? [{ uri: tab.input.uri.toString(), column: group.viewColumn, active: tab.isActive }]
        : [],
    ),
  );
}

/** Open again what was open, then remember what is. */
export async function reopen(state: vscode.Memento): Promise<vscode.Disposable> {
  const there = new Set(opened().map((one) => one.uri));
  const missing = state.get<Kept[]>(KEY, []).filter((one) => !there.has(one.uri));
  for (const one of missing.sort((a, b) => Number(a.active) - Number(b.active))) {
    const uri = vscode.Uri.parse(one.uri);
    const how = { viewColumn: one.column, preview: false, preserveFocus: true };
    await vscode.window.showTextDocument(uri, how).then(undefined, () => undefined); // a run that is gone
  }
  const remember = (): void => {
    void state.update(KEY, opened());
  };
  remember();
  return vscode.window.tabGroups.onDidChangeTabs(remember);
}
