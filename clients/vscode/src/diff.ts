/** A session's patch as VS Code's own diff: what the run began with, and what the session made of it. */
import * as vscode from 'vscode';

import { NOTHING } from './documents';
import type { Server } from './server';
import type { SessionPatch } from './wire';

export async function showDiff(server: Server, sessionId: string): Promise<void> {
  const { label, facts, files } = await server.ask<SessionPatch>('getSessionPatch', { sessionId });
  const sides = files.map(({ path, before, after }) => [path, side(before), side(after)] as const);
  const [only] = sides;
  if (sides.length === 1 && only !== undefined) {
    const [path, before, after] = only;
    await vscode.commands.executeCommand('vscode.diff', before, after, `${path}: ${label} (${facts})`, {
      preview: false,
    });
    return;
  }
  const resources = sides.map(([, before, after]) => [after, before, after]);
  await vscode.commands.executeCommand('vscode.changes', `${label} (${facts})`, resources);
}

function side(uri: string | null): vscode.Uri {
  return uri === null ? NOTHING : vscode.Uri.parse(uri);
}
