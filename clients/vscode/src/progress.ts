/**
 * The progress of agents as notifications. VS Code makes one status bar item of all that a server
 * reports; here up to three agents of a run have one each, and more have one for the whole run.
 */
import * as vscode from 'vscode';
import type {
  HandleWorkDoneProgressSignature,
  ProgressToken,
  WorkDoneProgressBegin,
  WorkDoneProgressEnd,
  WorkDoneProgressReport,
} from 'vscode-languageclient/node';

import type { Runs } from './runs';
import type { Server } from './server';
import { ended, standing, type Run } from './wire';
import { summary } from './words';

const PREFIX = 'bug-lsp/';
const MOST = 3;

type Kind = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;

/** What an agent does, without its name: the title has it. */
function said(message: string | undefined): string | undefined {
  return message?.replace(/^[^:\s]+: /, '');
}

interface Shown {
  say(message: string | undefined): void;
  end(): void;
}

export class Progress {
  private readonly sessions = new Map<string, Shown>();
  private readonly whole = new Map<string, Shown>();

  constructor(
    private readonly server: Server,
    private readonly runs: Runs,
  ) {}

  /** The client's middleware. The library's own status bar item stays away: it is not told. */
  readonly handle = (token: ProgressToken, params: Kind, next: HandleWorkDoneProgressSignature): void => {
    const text = String(token);
    if (!text.startsWith(PREFIX)) {
      next(token, params);
      return;
    }
    const sessionId = text.slice(PREFIX.length);
    switch (params.kind) {
      case 'begin':
        void this.begin(sessionId, params);
        break;
      case 'report':
        this.sessions.get(sessionId)?.say(said(params.message));
        this.runs.says(sessionId, params.message ?? '');
        break;
      case 'end':
        this.sessions.get(sessionId)?.end();
        this.sessions.delete(sessionId);
        next(token, params); // lets the client forget the token
        break;
    }
  };

  private async begin(sessionId: string, params: WorkDoneProgressBegin): Promise<void> {
    const where = vscode.workspace.getConfiguration('bugLsp').get('notifications.progress');
    const run = await this.runs.runOf(sessionId);
    const session = run === undefined ? undefined : this.runs.session(sessionId);
    if (where === 'view' || run === undefined || session === undefined || ended(session)) {
      return;
    }
    if (session.kind === 'debug' && standing(run).length > MOST) {
      this.beginWhole(run);
      return;
    }
    const shown = show(params.title, () => this.server.ask('cancelSession', { sessionId }));
    shown.say(said(params.message));
    this.sessions.set(sessionId, shown);
  }

  private beginWhole(run: Run): void {
    const { debugRunId } = run;
    if (this.whole.has(debugRunId)) {
      return;
    }
    const shown = show(`Debugging: ${run.title}`, () => this.server.ask('cancelDebugRun', { debugRunId }));
    shown.say(summary(run));
    this.whole.set(debugRunId, shown);
  }

  /** The status of runs has changed: notifications of what has ended go, whatever was missed. */
  update(): void {
    for (const [debugRunId, shown] of this.whole) {
      const run = this.runs.all.find((one) => one.debugRunId === debugRunId);
      if (run === undefined || standing(run).every(ended)) {
        shown.end();
        this.whole.delete(debugRunId);
      } else {
        shown.say(summary(run));
      }
    }
    for (const [sessionId, shown] of this.sessions) {
      const session = this.runs.session(sessionId);
      if (session === undefined || ended(session)) {
        shown.end();
        this.sessions.delete(sessionId);
      }
    }
  }

  /** The server is gone: nothing will be reported any more. */
  clear(): void {
    for (const shown of [...this.sessions.values(), ...this.whole.values()]) {
      shown.end();
    }
    this.sessions.clear();
    this.whole.clear();
  }
}

function show(title: string, cancel: () => Promise<unknown>): Shown {
  let reporter: vscode.Progress<{ message?: string }> | undefined;
  let resolve: () => void = () => undefined;
  const done = new Promise<void>((settle) => {
    resolve = settle;
  });
  const location = vscode.ProgressLocation.Notification;
  void vscode.window.withProgress({ location, title, cancellable: true }, (progress, token) => {
    reporter = progress;
    token.onCancellationRequested(() => {
      cancel().catch((error: unknown) => {
        void vscode.window.showWarningMessage(error instanceof Error ? error.message : String(error));
      });
    });
    return done;
  });
  return {
    say: (message) => {
      if (message !== undefined) {
        reporter?.report({ message });
      }
    },
    end: resolve,
  };
}
