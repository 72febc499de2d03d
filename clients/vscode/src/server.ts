/** The language server's life: found, installed, started, watched, restarted; and asked. */
import * as vscode from 'vscode';
import {
  CloseAction,
  ErrorAction,
  ExecuteCommandRequest,
  LanguageClient,
  RevealOutputChannelOn,
  type DynamicFeature,
  type LanguageClientOptions,
  type Middleware,
  type StaticFeature,
} from 'vscode-languageclient/node';

import { complete, find, NoServer, type Program } from './find';
import { explicit, forInitialize, wishes } from './settings';

const NEEDED = ['debugWithAgents', 'getSessionPatch', 'applyPatch', 'retryFailed'];
const RESTARTS = 2;
const CONTENT = 'workspace/textDocumentContent';

/** The library's client, but for its documents, which are ours. */
class Client extends LanguageClient {
  override registerFeature(feature: StaticFeature | DynamicFeature<unknown>): void {
    if (!('registrationType' in feature) || feature.registrationType.method !== CONTENT) {
      super.registerFeature(feature);
    }
  }
}

export class Server implements vscode.Disposable {
  private readonly log = vscode.window.createOutputChannel('Bug LSP', { log: true });
  private readonly went = new vscode.EventEmitter<boolean>();
  /** Whether it is up now. */
  readonly onDidChange = this.went.event;
  private client: LanguageClient | undefined;
  private starting: Promise<void> | undefined;
  private waiting: ((client: LanguageClient) => void)[] = [];
  private crashes = 0;
  middleware: Middleware = {};
  features: ((client: LanguageClient) => StaticFeature)[] = [];
  notifications: Record<string, (params: unknown) => void> = {};

  constructor(private readonly context: vscode.ExtensionContext) {}

  /** The client, when the server is up. */
  async ready(): Promise<LanguageClient> {
    if (this.client !== undefined) {
      return this.client;
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Call a command of the server, when it has started if it is about to. */
  async ask<T>(command: string, argument: object = {}): Promise<T> {
    await this.starting;
    if (this.client === undefined) {
      throw new Error('The Bug LSP server is not running; say "Bug LSP: Restart Server"');
    }
    const params = { command, arguments: [argument] };
    return (await this.client.sendRequest(ExecuteCommandRequest.type, params)) as T;
  }

  /** Start it, unless the workspace is not trusted. */
  async start(): Promise<void> {
    this.starting ??= this.tryToStart().finally(() => {
      this.starting = undefined;
    });
    return this.starting;
  }

  async restart(): Promise<void> {
    await this.starting;
    await this.stop();
    this.crashes = 0;
    await this.start();
  }

  showLog(): void {
    this.log.show();
  }

  private async tryToStart(): Promise<void> {
    if (!vscode.workspace.isTrusted || this.client !== undefined) {
      return;
    }
    try {
      const program = await find(wishes(), this.context.extensionPath);
      this.log.info(`${program.command} ${program.args.join(' ')} (from ${program.from})`);
      await this.prepare(program);
      await this.connect(program);
    } catch (error) {
      this.say(false);
      const message = error instanceof Error ? error.message : String(error);
      this.log.error(message);
      void this.offer(message, error instanceof NoServer ? 'Open Settings' : 'Show Log');
    }
  }

  private async prepare(program: Program): Promise<void> {
    if (program.prepare === undefined) {
      return;
    }
    const { command, prepare } = program;
    const { version } = this.context.extension.packageJSON as { version: string };
    const installed = `installed ${version}`;
    const quiet = this.context.globalState.get(installed) === prepare.join(' ');
    const location = quiet ? vscode.ProgressLocation.Window : vscode.ProgressLocation.Notification;
    const title = quiet ? 'Bug LSP starts' : 'Bug LSP installs its server (once)';
    await vscode.window.withProgress({ location, title, cancellable: !quiet }, async (_progress, token) => {
      const stop = new AbortController();
      token.onCancellationRequested(() => {
        stop.abort();
      });
      this.log.info(await complete(command, prepare, stop.signal));
    });
    await this.context.globalState.update(installed, prepare.join(' '));
  }

  private async connect(program: Program): Promise<void> {
    const options: LanguageClientOptions = {
      documentSelector: [{ scheme: 'file' }, { scheme: 'untitled' }],
      outputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: { bugLsp: forInitialize(this.context) },
      middleware: {
        ...this.middleware,
        workspace: {
          // The defaults of this extension must not go over what is in the user's config.toml.
          configuration: (params) => params.items.map(() => explicit(this.context)),
        },
      },
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => this.closed(),
      },
    };
    const run = { command: program.command, args: program.args };
    const client = new Client('bugLsp', 'Bug LSP', run, options);
    client.registerFeatures(this.features.map((make) => make(client)));
    for (const [method, heard] of Object.entries(this.notifications)) {
      client.onNotification(method, heard);
    }
    await client.start();
    const commands = client.initializeResult?.capabilities.executeCommandProvider?.commands ?? [];
    const version = client.initializeResult?.serverInfo?.version ?? 'unknown';
    if (!NEEDED.every((name) => commands.includes(name))) {
      await client.dispose();
      throw new NoServer(
        `The server from ${program.from} (version ${version}) is too old for this extension. ` +
          'Update it, or leave the setting bugLsp.server.path empty.',
      );
    }
    this.client = client;
    this.log.info(`server ${version} is up`);
    for (const resolve of this.waiting.splice(0)) {
      resolve(client);
    }
    this.say(true);
  }

  private closed(): { action: CloseAction; handled: boolean } {
    if (this.client === undefined) {
      return { action: CloseAction.DoNotRestart, handled: true }; // it never came up: start() says so
    }
    this.crashes += 1;
    this.client = undefined;
    this.say(false);
    if (this.crashes <= RESTARTS) {
      this.log.warn('the server has ended; it is started again');
      void this.start();
    } else {
      void this.offer('The Bug LSP server keeps ending. Agents at work go on.', 'Restart Server');
    }
    return { action: CloseAction.DoNotRestart, handled: true };
  }

  private async offer(message: string, action: string): Promise<void> {
    const chosen = await vscode.window.showErrorMessage(message, action);
    if (chosen === 'Open Settings') {
      await vscode.commands.executeCommand('workbench.action.openSettings', 'bugLsp.server');
    } else if (chosen === 'Restart Server') {
      await this.restart();
    } else if (chosen === 'Show Log') {
      this.showLog();
    }
  }

  private say(up: boolean): void {
    void vscode.commands.executeCommand('setContext', 'bugLsp.serverUp', up);
    void vscode.commands.executeCommand('setContext', 'bugLsp.serverDown', !up);
    this.went.fire(up);
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    await client?.dispose();
    this.say(false);
  }

  dispose(): void {
    this.log.dispose();
    this.went.dispose();
  }
}
