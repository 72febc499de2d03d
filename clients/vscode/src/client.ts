/** The library's client: told our settings and middleware, and brought up or given up. */
import type * as vscode from 'vscode';
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
  type DynamicFeature,
  type MessageTransports,
  type Middleware,
  type StaticFeature,
} from 'vscode-languageclient/node';

import { NoServer, type Program } from './find';
import { explicit, forInitialize } from './settings';

const NEEDED = ['debugWithAgents', 'getSessionPatch', 'applyPatch', 'retryFailed'];
const PATIENCE = 60_000;
const CONTENT = 'workspace/textDocumentContent';

export class Client extends LanguageClient {
  private abandoned = false;

  constructor(
    context: vscode.ExtensionContext,
    program: Program,
    log: vscode.LogOutputChannel,
    middleware: Middleware,
    ended: () => void,
  ) {
    const run = { command: program.command, args: program.args };
    super('bugLsp', 'Bug LSP', run, {
      documentSelector: [{ scheme: 'file' }, { scheme: 'untitled' }],
      outputChannel: log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationOptions: { bugLsp: forInitialize(context) },
      middleware: {
        ...middleware,
        workspace: {
          // The defaults of this extension must not go over what is in the user's config.toml.
          configuration: (params) => params.items.map(() => explicit(context)),
        },
      },
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          ended();
          return { action: CloseAction.DoNotRestart, handled: true };
        },
      },
    });
  }

  get serverVersion(): string {
    return this.initializeResult?.serverInfo?.version ?? 'unknown';
  }

  /** End it. A server that does not answer is killed by the library, a little later. */
  async quit(): Promise<void> {
    await this.dispose().catch((error: unknown) => {
      this.warn('The server did not end by itself.', error, false);
    });
  }

  /** Do not wait for a server that is not up: its process ends, be it only on its way. */
  abandon(): void {
    this.abandoned = true;
    if (!this.isRunning()) {
      this.serverProcess?.kill('SIGKILL');
    }
  }

  protected override async createMessageTransports(encoding: string): Promise<MessageTransports> {
    const made = await super.createMessageTransports(encoding);
    if (this.abandoned) {
      this.serverProcess?.kill('SIGKILL');
    }
    return made;
  }

  /** The library's documents are not used: ours take their place. */
  override registerFeature(feature: StaticFeature | DynamicFeature<unknown>): void {
    if (!('registrationType' in feature) || feature.registrationType.method !== CONTENT) {
      super.registerFeature(feature);
    }
  }

  /** What the library has to say goes to the log: what the user must know we say ourselves, once. */
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** Start the client's server, which must be one that this extension can use. */
export async function connect(client: Client, program: Program, signal: AbortSignal): Promise<void> {
  const late = AbortSignal.timeout(PATIENCE);
  const enough = AbortSignal.any([signal, late]);
  const abandon = (): void => {
    client.abandon();
  };
  enough.addEventListener('abort', abandon);
  if (enough.aborted) {
    abandon(); // it is no event any more
  }
  try {
    await client.start();
  } catch (error) {
    client.error('The server did not start.', error);
    const what = late.aborted ? 'does not answer' : 'ended before it was up';
    throw new NoServer(`The server from ${program.from} ${what}; the log may say why.`, 'Show Log');
  }
  const commands = client.initializeResult?.capabilities.executeCommandProvider?.commands ?? [];
  const fits = NEEDED.every((name) => commands.includes(name));
  if (!fits || signal.aborted) {
    const version = client.serverVersion;
    await client.quit();
    throw new NoServer(
      `The server from ${program.from} (version ${version}) is too old for this extension. ` +
        'Update it, or leave the setting bugLsp.server.path empty and let uv run the one in the extension.',
      'Open Settings',
    );
  }
}
