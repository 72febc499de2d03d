/** The language server's life: found, installed, started, watched, restarted; and asked. */
import * as vscode from 'vscode';
import type { Middleware, StaticFeature } from 'vscode-languageclient/node';

import type { Client } from './client';
import { find, NoServer, type Program, type Remedy } from './find';
import { install, installed } from './install';
import { atStart, wishes } from './settings';

/** A server that ends more often within this time is not started again by itself. */
const RESTARTS = 2;
const WITHIN = 180_000;
const HOW_TO_INSTALL_UV = 'https://docs.astral.sh/uv/getting-started/installation/';

/** Settings of a machine are elsewhere in a window whose files are on another one. */
const SETTINGS = `workbench.action.open${vscode.env.remoteName === undefined ? '' : 'Remote'}Settings`;

export type State = 'starting' | 'up' | 'down';

export class Server implements vscode.Disposable {
  private readonly log = vscode.window.createOutputChannel('Bug LSP', { log: true });
  private readonly went = new vscode.EventEmitter<State>();
  readonly onDidChange = this.went.event;
  private client: Client | undefined;
  private starting: Promise<void> | undefined;
  private giveUp = new AbortController();
  private waiting: ((client: Client) => void)[] = [];
  private ends: number[] = [];
  private told: string | undefined;
  middleware: Middleware = {};
  features: ((client: Client) => StaticFeature)[] = [];
  notifications: Record<string, (params: unknown) => void> = {};

  constructor(private readonly context: vscode.ExtensionContext) {}

  /** The client, when the server is up. */
  async ready(): Promise<Client> {
    if (this.client !== undefined) {
      return this.client;
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Call a command of the server, which may be on its way up. */
  async ask<T>(command: string, argument: object = {}): Promise<T> {
    if (this.client === undefined) {
      await this.starting;
    }
    if (this.client === undefined) {
      throw new Error(
        vscode.workspace.isTrusted
          ? 'The Bug LSP server is not running; say "Bug LSP: Restart Server".'
          : 'Bug LSP starts nothing in a workspace that you do not trust.',
      );
    }
    return this.client.sendRequest<T>('workspace/executeCommand', { command, arguments: [argument] });
  }

  /** Start it, unless the workspace is not trusted or it is there. */
  async start(): Promise<void> {
    if (!vscode.workspace.isTrusted || this.client !== undefined) {
      return;
    }
    this.starting ??= this.tryToStart().finally(() => {
      this.starting = undefined;
    });
    return this.starting;
  }

  /** Start it anew, whatever it is doing. */
  async restart(): Promise<void> {
    this.giveUp.abort();
    await this.starting;
    await this.stop();
    this.ends = [];
    await this.start();
  }

  /** Start it anew where settings have changed that it is only told when it starts. */
  async follow(): Promise<void> {
    if (this.told !== undefined && this.told !== atStart(this.context)) {
      await this.restart();
    }
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    await client?.quit();
  }

  showLog(): void {
    this.log.show();
  }

  private async tryToStart(): Promise<void> {
    this.giveUp = new AbortController();
    const { signal } = this.giveUp;
    this.told = atStart(this.context);
    this.say('starting');
    try {
      const program = await find(wishes(), this.context.extensionPath);
      this.log.info(`${program.command} ${program.args.join(' ')} (from ${program.from})`);
      if (!(await installed(program, signal))) {
        signal.throwIfAborted();
        await this.install(program, signal);
      }
      await this.connect(program, signal);
    } catch (error) {
      this.say('down');
      if (!signal.aborted) {
        this.tell(error);
      }
    }
  }

  private async install(program: Program, signal: AbortSignal): Promise<void> {
    const location = vscode.ProgressLocation.Notification;
    const title = 'Bug LSP installs its server (once)';
    await vscode.window.withProgress({ location, title, cancellable: true }, async (_progress, token) => {
      token.onCancellationRequested(() => {
        this.giveUp.abort();
      });
      await install(program, signal, (text) => {
        this.log.info(text);
      });
    });
  }

  private async connect(program: Program, signal: AbortSignal): Promise<void> {
    // The library is most of the extension: a window that starts does not wait for it.
    const { Client, connect } = await import('./client.js');
    const client = new Client(this.context, program, this.log, this.middleware, () => {
      if (this.client === client) {
        this.ended();
      }
    });
    client.registerFeatures(this.features.map((make) => make(client)));
    for (const [method, heard] of Object.entries(this.notifications)) {
      client.onNotification(method, heard);
    }
    const location = vscode.ProgressLocation.Window;
    await vscode.window.withProgress({ location, title: 'Bug LSP starts' }, () =>
      connect(client, program, signal),
    );
    this.client = client;
    this.log.info(`server ${client.serverVersion} is up`);
    for (const resolve of this.waiting.splice(0)) {
      resolve(client);
    }
    this.say('up');
  }

  private ended(): void {
    const now = Date.now();
    this.ends = [...this.ends.filter((then) => now - then < WITHIN), now];
    this.client = undefined;
    if (this.ends.length <= RESTARTS) {
      this.log.warn('the server has ended; it is started again');
      void this.start();
    } else {
      this.say('down');
      this.tell(new NoServer('The Bug LSP server keeps ending. Agents at work go on.', 'Restart Server'));
    }
  }

  /** One message with one button. */
  private tell(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const remedy = error instanceof NoServer ? error.remedy : 'Show Log';
    this.log.error(message);
    void vscode.window.showErrorMessage(message, remedy).then((chosen) => {
      if (chosen !== undefined) {
        void this.remedies[chosen]();
      }
    });
  }

  private readonly remedies: Record<Remedy, () => unknown> = {
    'Install uv': () => vscode.env.openExternal(vscode.Uri.parse(HOW_TO_INSTALL_UV)),
    'Open Settings': () => vscode.commands.executeCommand(SETTINGS, { query: 'bugLsp.server' }),
    'Restart Server': () => this.restart(),
    'Show Log': () => {
      this.showLog();
    },
    'Try Again': () => this.restart(),
  };

  private say(state: State): void {
    void vscode.commands.executeCommand('setContext', 'bugLsp.serverUp', state === 'up');
    void vscode.commands.executeCommand('setContext', 'bugLsp.serverDown', state === 'down');
    this.went.fire(state);
  }

  dispose(): void {
    this.giveUp.abort();
    this.log.dispose();
    this.went.dispose();
  }
}
