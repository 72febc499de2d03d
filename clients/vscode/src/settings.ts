/** Which settings the server is told: those that somebody set, and programs only from the user. */
import * as vscode from 'vscode';

import type { Wishes } from './find';

const SECTION = 'bugLsp';
/** Settings of the extension itself. */
const OWN = ['server.', 'notifications.'];

interface Declared {
  scope?: string;
}

/** What the server runs, or lets agents do: never from a workspace, and told only when it starts. */
const FROM_USER = 'machine';

export function wishes(): Wishes {
  const settings = vscode.workspace.getConfiguration(SECTION);
  return {
    path: settings.get('server.path', '').trim(),
    uv: settings.get('server.uv', 'uv').trim(),
    extras: settings.get<string[]>('server.extras', []),
  };
}

/** The settings that are the user's alone. */
export function forInitialize(context: vscode.ExtensionContext): Record<string, unknown> {
  return chosen(context, (declared) => declared.scope === FROM_USER);
}

/** All other settings that somebody set. */
export function explicit(context: vscode.ExtensionContext): Record<string, unknown> {
  return chosen(context, (declared) => declared.scope !== FROM_USER);
}

/** All that a server is only told when it starts, to be compared. */
export function atStart(context: vscode.ExtensionContext): string {
  return JSON.stringify([wishes(), forInitialize(context)]);
}

function declared(context: vscode.ExtensionContext): Record<string, Declared> {
  const manifest = context.extension.packageJSON as {
    contributes: { configuration: { properties: Record<string, Declared> } };
  };
  return manifest.contributes.configuration.properties;
}

function chosen(
  context: vscode.ExtensionContext,
  wanted: (declared: Declared) => boolean,
): Record<string, unknown> {
  const settings = vscode.workspace.getConfiguration(SECTION);
  const found: Record<string, unknown> = {};
  for (const [full, about] of Object.entries(declared(context))) {
    const name = full.slice(SECTION.length + 1);
    if (OWN.some((own) => name.startsWith(own)) || !wanted(about)) {
      continue;
    }
    const seen = settings.inspect(name);
    const value = seen?.workspaceFolderValue ?? seen?.workspaceValue ?? seen?.globalValue;
    if (value !== undefined) {
      found[name] = value;
    }
  }
  return found;
}
