/** The palette: each asks the user what is missing and then one thing of the server. */
import { basename } from 'node:path';
import * as vscode from 'vscode';

import { debugDemo, openDemo } from './demo';
import { showDiff } from './diff';
import { goTo, open, titled } from './documents';
import { pickAgent, pickAgents, pickRun, pickSession, pickTest } from './pick';
import { selectedPython } from './python';
import type { Runs } from './runs';
import type { Server } from './server';
import { ended, everyone, type Agent, type Run, type Session, type SessionPatch } from './wire';

const HEAD = ['| agent | | version | held to its copy by | what to do |', '| --- | --- | --- | --- | --- |'];
const FORCE = 'Apply All the Same';
const TASK = /\.(md|markdown|mdx)$/i;

type Target = Partial<{ run: Run; session: Session }> | undefined;

export class Commands {
  constructor(
    private readonly server: Server,
    private readonly runs: Runs,
    private readonly context: vscode.ExtensionContext,
  ) {}

  register(): vscode.Disposable {
    const table: Record<string, (target: never) => unknown> = {
      debug: (uri: vscode.Uri | undefined) => this.debug(uri),
      orchestrate: (on: Target) => this.orchestrate(on),
      cancel: (on: Target) => this.cancel(on),
      retry: (on: Target) => this.ofSession('retrySession', on, (one) => ended(one) && one.kind === 'debug'),
      retryFailed: (on: Target) => this.ofRun('retryFailed', on, lost),
      addAgent: (on: Target) => this.addAgent(on),
      synthesiseNow: (on: Target) => this.ofRun('synthesiseNow', on, busy),
      openSession: (on: Target) => this.openSession(on),
      openOrchestrator: () => this.openOrchestrator(),
      openTask: (on: Target) => this.openTask(on),
      applyPatch: (on: Target) => this.applyPatch(on),
      showDiff: (on: Target) => this.showDiff(on),
      deleteRun: (on: Target) => this.deleteRun(on),
      doctor: () => this.doctor(),
      openDemo: () => openDemo(this.server, this.context),
      debugDemo: () => debugDemo(this.server, this.context),
      restart: () => this.server.restart(),
      showLog: () => {
        this.server.showLog();
      },
    };
    const made = Object.entries(table).map(([name, run]) =>
      vscode.commands.registerCommand(`bugLsp.${name}`, async (target: never) => {
        try {
          await run(target);
        } catch (error) {
          void vscode.window.showWarningMessage(error instanceof Error ? error.message : String(error));
        }
      }),
    );
    return vscode.Disposable.from(...made);
  }

  private async debug(uri: vscode.Uri | undefined): Promise<void> {
    const about = await this.about(uri);
    if (about === undefined) {
      return;
    }
    const agents = await pickAgents(this.server, this.context.globalState);
    const test = agents === undefined ? undefined : await pickTest(this.context.workspaceState);
    if (agents === undefined || test === undefined) {
      return;
    }
    await this.server.ask('debugWithAgents', {
      ...about,
      agents: agents.map((agentType) => ({ agentType })),
      ...(test === '' ? {} : { testCommand: test }),
      ...(await selectedPython(uri ?? vscode.window.activeTextEditor?.document.uri)),
    });
  }

  /** What is to be debugged: a task file, or a title with what is under the cursor. */
  private async about(uri: vscode.Uri | undefined): Promise<object | undefined> {
    const editor = vscode.window.activeTextEditor;
    const document = editor?.document;
    const file = uri ?? (document?.uri.scheme === 'file' ? document.uri : undefined);
    if (file !== undefined && TASK.test(file.path)) {
      return { taskUri: file.toString() };
    }
    const context = editor === undefined || editor.document.uri.scheme === 'bug-lsp' ? {} : contextOf(editor);
    const has = 'context' in context;
    const title = await vscode.window.showInputBox({
      title: 'What is the bug?',
      placeHolder: 'in one line, such as: totals are a cent too low',
      prompt: has ? `${contextSaid(editor)} goes along. Enter alone takes the title from it.` : '',
      ignoreFocusOut: true,
    });
    if (title === undefined || (title.trim() === '' && !has)) {
      return undefined;
    }
    return { ...(title.trim() === '' ? {} : { title: title.trim() }), ...context };
  }

  private async ofRun(command: string, on: Target, fits: (run: Run) => boolean): Promise<void> {
    const run = on?.run ?? (await pickRun(this.runs, fits));
    if (run !== undefined) {
      await this.server.ask(command, { debugRunId: run.debugRunId });
    }
  }

  private async ofSession(command: string, on: Target, fits: (one: Session) => boolean): Promise<void> {
    const session = on?.session ?? (await pickSession(this.runs, fits));
    if (session !== undefined) {
      await this.server.ask(command, { sessionId: session.sessionId });
    }
  }

  private async orchestrate(on: Target): Promise<void> {
    const run = on?.run ?? (await pickRun(this.runs, (one) => one.sessions.every(ended)));
    if (run !== undefined) {
      const force = run.orchestrator !== null && ended(run.orchestrator);
      await this.server.ask('orchestrateDebugRun', { debugRunId: run.debugRunId, force });
    }
  }

  private async cancel(on: Target): Promise<void> {
    if (on?.session !== undefined) {
      await this.server.ask('cancelSession', { sessionId: on.session.sessionId });
    } else {
      await this.ofRun('cancelDebugRun', on, busy);
    }
  }

  private async addAgent(on: Target): Promise<void> {
    const run = on?.run ?? (await pickRun(this.runs, () => true));
    const agentType = run === undefined ? undefined : await pickAgent(this.server);
    if (run !== undefined && agentType !== undefined) {
      await this.server.ask('addAgent', { debugRunId: run.debugRunId, agentType });
    }
  }

  private async openSession(on: Target): Promise<void> {
    const session = on?.session ?? (await pickSession(this.runs, () => true));
    if (session !== undefined) {
      const run = await this.runs.runOf(session.sessionId);
      await open(titled(vscode.Uri.parse(session.uri), session, run), run, true);
    }
  }

  private async openOrchestrator(): Promise<void> {
    const run = await pickRun(this.runs, (one) => one.orchestrator !== null);
    if (run?.orchestrator) {
      await this.openSession({ session: run.orchestrator });
    }
  }

  private async openTask(on: Target): Promise<void> {
    const run = on?.run ?? (await pickRun(this.runs, () => true));
    if (run !== undefined) {
      await goTo(vscode.Uri.parse(run.taskUri));
    }
  }

  private async patchOf(on: Target): Promise<Session | undefined> {
    if (on?.session !== undefined) {
      return on.session;
    }
    const within = on?.run === undefined ? undefined : everyone(on.run);
    return pickSession(this.runs, (one) => one.hasPatch && within?.includes(one) !== false);
  }

  private async showDiff(on: Target): Promise<void> {
    const session = await this.patchOf(on);
    if (session !== undefined) {
      await showDiff(this.server, session.sessionId);
    }
  }

  private async applyPatch(on: Target): Promise<void> {
    const session = await this.patchOf(on);
    if (session === undefined) {
      return;
    }
    const { sessionId } = session;
    const found = await this.server.ask<SessionPatch>('getSessionPatch', { sessionId });
    const { proven, label, facts } = found;
    if (!proven) {
      const question = `The patch of ${label} is not proven: ${facts}`;
      const options = { modal: true };
      const chosen = await vscode.window.showWarningMessage(question, options, FORCE, 'Show Diff');
      if (chosen === 'Show Diff') {
        await showDiff(this.server, sessionId);
      }
      if (chosen !== FORCE) {
        return;
      }
    }
    const { applied, files } = await this.server.ask<{ applied: boolean; files: { uri: string }[] }>(
      'applyPatch',
      { sessionId, force: !proven },
    );
    const [first] = files;
    if (applied && first !== undefined) {
      await vscode.window.showTextDocument(vscode.Uri.parse(first.uri), { preview: false });
    }
  }

  private async deleteRun(on: Target): Promise<void> {
    const run = on?.run ?? (await pickRun(this.runs, (one) => !busy(one)));
    if (run === undefined) {
      return;
    }
    const question = `Delete the run "${run.title}" with its sessions and copies?`;
    const options = { modal: true, detail: 'The task file stays as it is.' };
    if ((await vscode.window.showWarningMessage(question, options, 'Delete')) === 'Delete') {
      await this.server.ask('deleteDebugRun', { debugRunId: run.debugRunId });
      await this.runs.load();
    }
  }

  private async doctor(): Promise<void> {
    const { agents } = await this.server.ask<{ agents: Agent[] }>('listAgents');
    const rows = agents.map((one) => {
      const state = one.ready ? 'ready' : one.installed ? 'not ready' : 'not installed';
      const cells = [`\`${one.agentType}\``, state, one.version ?? '', one.confinedBy ?? '', one.hint];
      return `| ${cells.join(' | ')} |`;
    });
    const content = ['# Which agents can debug here', '', ...HEAD, ...rows, ''].join('\n');
    const document = await vscode.workspace.openTextDocument({ content, language: 'markdown' });
    await vscode.commands.executeCommand('markdown.showPreview', document.uri);
  }
}

function busy(run: Run): boolean {
  return everyone(run).some((one) => !ended(one));
}

function lost(run: Run): boolean {
  return run.failedCount + run.cancelledCount > 0;
}

function around(editor: vscode.TextEditor): vscode.Diagnostic[] {
  const found = vscode.languages.getDiagnostics(editor.document.uri);
  return found.filter(
    (one) => one.source !== 'bug-lsp' && one.range.intersection(editor.selection) !== undefined,
  );
}

function contextOf(editor: vscode.TextEditor): object {
  const diagnostics = around(editor).map((one) => one.message);
  if (editor.selection.isEmpty && diagnostics.length === 0) {
    return {};
  }
  const { start, end } = editor.selection;
  return { context: { uri: editor.document.uri.toString(), range: { start, end }, diagnostics } };
}

function contextSaid(editor: vscode.TextEditor | undefined): string {
  if (editor === undefined) {
    return '';
  }
  const name = basename(editor.document.uri.path);
  const what = editor.selection.isEmpty ? 'The problem under the cursor' : 'The selection';
  return `${what} in ${name}`;
}
