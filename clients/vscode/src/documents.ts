/**
 * Sessions as documents: read from the server, named so that they can be told apart, opened beside,
 * kept at their end while the user is there.
 */
import * as vscode from 'vscode';
import type {
  ClientCapabilities,
  FeatureState,
  LanguageClient,
  StaticFeature,
} from 'vscode-languageclient/node';

import type { Run, Session } from './wire';
import { nameOf } from './words';

export const SCHEME = 'bug-lsp';
/** One side of the diff of a file that is new or deleted. */
export const NOTHING = vscode.Uri.from({ scheme: SCHEME, path: '/nothing' });
const CONTENT = 'workspace/textDocumentContent';
const REFRESH = 'workspace/textDocumentContent/refresh';
const { One, Two, Three, Four } = vscode.ViewColumn;
/** From the left; so each has the number of the one before it as its index. */
const COLUMNS = [One, Two, Three, Four];
const REGION = '<!-- bug-lsp:begin';
const SESSION = /^\/*(runs\/[0-9a-f]{16}\/[0-9a-f]{12})(?:\/[^/]+)?\.md$/;

/** The session whose document this is; "" where it is another one. */
export function sessionOf(uri: vscode.Uri): string {
  return SESSION.exec(uri.path)?.[1]?.split('/').at(-1) ?? '';
}

/** The server's address of a document: in ours the session's title stands between. */
function canonical(uri: vscode.Uri): string {
  const match = SESSION.exec(uri.path);
  return match === null ? uri.toString() : `${SCHEME}:/${match[1] ?? ''}.md`;
}

/** A session's document under a name that tells it from those of other runs: its tab shows it. */
export function titled(uri: vscode.Uri, session: Session | undefined, run: Run | undefined): vscode.Uri {
  const match = SESSION.exec(uri.path);
  if (uri.scheme !== SCHEME || match === null || session === undefined) {
    return uri;
  }
  return uri.with({ path: `/${match[1] ?? ''}/${nameOf(session, run)}.md` });
}

/** Serves the documents from before the server is up, so that those of a reloaded window are read. */
export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly held: vscode.Disposable[];
  /** Those that have changed after they were read and before they were open: VS Code drops that. */
  private readonly missed = new Set<string>();

  constructor(private readonly client: () => Promise<LanguageClient>) {
    this.held = [
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.workspace.onDidOpenTextDocument(({ uri }) => {
        if (uri.scheme === SCHEME && this.missed.delete(canonical(uri))) {
          this.changed.fire(uri);
        }
      }),
    ];
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    if (uri.path === NOTHING.path) {
      return '';
    }
    const client = await this.client();
    this.missed.delete(canonical(uri));
    const answer = await client.sendRequest<{ text: string }>(CONTENT, { uri: canonical(uri) });
    return answer.text;
  }

  /** In place of the library's feature, which knows one name of a document. */
  feature(client: LanguageClient): StaticFeature {
    return {
      fillClientCapabilities: (capabilities: ClientCapabilities): void => {
        capabilities.workspace = {
          ...capabilities.workspace,
          textDocumentContent: { dynamicRegistration: false },
        };
      },
      initialize: (): void => {
        client.onRequest(REFRESH, (params: { uri: string }) => {
          this.refresh(params.uri);
          return null;
        });
      },
      getState: (): FeatureState => ({ kind: 'static' }),
      clear: (): void => undefined,
    };
  }

  private refresh(uri: string): void {
    const wanted = canonical(vscode.Uri.parse(uri));
    const open = vscode.workspace.textDocuments.filter(
      (one) => one.uri.scheme === SCHEME && canonical(one.uri) === wanted,
    );
    for (const document of open) {
      this.changed.fire(document.uri);
    }
    if (open.length === 0) {
      this.missed.add(wanted);
    }
  }

  dispose(): void {
    vscode.Disposable.from(...this.held, this.changed).dispose();
  }
}

/** Open a document beside the task file, in the group where such documents are already. */
export async function open(uri: vscode.Uri, run: Run | undefined, focus: boolean): Promise<void> {
  await vscode.window.showTextDocument(uri, {
    viewColumn: column(run),
    preview: false,
    preserveFocus: !focus,
  });
}

/** Go to a file where it is open already, else to the left of the sessions; in a task file to its
 * result. */
export async function goTo(uri: vscode.Uri): Promise<void> {
  const holds = (tab: vscode.Tab): boolean =>
    tab.input instanceof vscode.TabInputText && tab.input.uri.toString() === uri.toString();
  const group = vscode.window.tabGroups.all.find((one) => one.tabs.some(holds));
  const viewColumn = group?.viewColumn ?? vscode.ViewColumn.One;
  const editor = await vscode.window.showTextDocument(uri, { viewColumn, preview: false });
  const begin = editor.document.getText().indexOf(REGION);
  if (begin >= 0) {
    const place = editor.document.positionAt(begin);
    editor.revealRange(new vscode.Range(place, place), vscode.TextEditorRevealType.AtTop);
  }
}

/** To open one, as a command. A command of our own with arguments is forgotten at the moment in which its
 * row is drawn anew, and a click on it then is lost; VS Code's own is not. */
export function opening(uri: vscode.Uri, run: Run): vscode.Command {
  const how = { viewColumn: column(run), preview: false };
  return { command: 'vscode.open', title: 'Open Session', arguments: [uri, how] };
}

function column(run: Run | undefined): vscode.ViewColumn {
  const group = vscode.window.tabGroups.all.find((one) =>
    one.tabs.some((tab) => tab.input instanceof vscode.TabInputText && tab.input.uri.scheme === SCHEME),
  );
  if (group !== undefined) {
    return group.viewColumn;
  }
  const task = run === undefined ? '' : vscode.Uri.parse(run.taskUri).toString();
  const shown = vscode.window.visibleTextEditors.find((one) => one.document.uri.toString() === task);
  return COLUMNS[shown?.viewColumn ?? COLUMNS.length] ?? vscode.ViewColumn.Beside;
}
