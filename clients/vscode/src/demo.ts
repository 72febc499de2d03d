/** The walkthrough's demo: a small project with a bug, opened and debugged by the built-in agents. */
import * as vscode from 'vscode';

import type { Server } from './server';

const KEY = 'demo';
const WALKTHROUGH = 'bug-lsp.bug-lsp#start';

interface Demo {
  folderUri: string;
  taskUri: string;
  agents: { agentType: string }[];
  testCommand: string;
}

/** The demo that is open in this window. */
function here(state: vscode.Memento): Demo | undefined {
  const made = state.get<Demo>(KEY);
  const open = vscode.workspace.workspaceFolders?.map((one) => one.uri.fsPath) ?? [];
  return made !== undefined && open.includes(vscode.Uri.parse(made.folderUri).fsPath) ? made : undefined;
}

/** Make it and open it: in this window where nothing is open, else in a new one. */
export async function openDemo(server: Server, context: vscode.ExtensionContext): Promise<void> {
  const parent = context.globalStorageUri;
  const made = await server.ask<Demo>('createDemo', { folderUri: parent.toString() });
  await context.globalState.update(KEY, made);
  const forceNewWindow = vscode.workspace.workspaceFolders !== undefined;
  const folder = vscode.Uri.parse(made.folderUri);
  await vscode.commands.executeCommand('vscode.openFolder', folder, { forceNewWindow });
}

/** In a window with the demo, go on where the walkthrough was when the folder was opened. */
export async function resume(context: vscode.ExtensionContext): Promise<void> {
  const demo = here(context.globalState);
  if (demo === undefined || context.workspaceState.get(KEY) === true) {
    return;
  }
  await context.workspaceState.update(KEY, true);
  await vscode.commands.executeCommand('workbench.action.openWalkthrough', WALKTHROUGH, false);
  const how = { viewColumn: vscode.ViewColumn.Beside, preview: false, preserveFocus: true };
  await vscode.window.showTextDocument(vscode.Uri.parse(demo.taskUri), how);
}

/** Debug it, without a question. */
export async function debugDemo(server: Server, context: vscode.ExtensionContext): Promise<void> {
  const demo = here(context.globalState);
  if (demo === undefined) {
    await openDemo(server, context);
    return;
  }
  const { taskUri, agents, testCommand } = demo;
  await server.ask('debugWithAgents', { taskUri, agents, testCommand });
}
