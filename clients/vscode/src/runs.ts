/** The Debug Runs view, the status bar item and the context keys: what is known of the runs. */
import * as vscode from 'vscode';

import { opening, titled } from './documents';
import type { Server } from './server';
import { ended, everyone, type Run, type Session, type Status } from './wire';
import { elapsed, oneLine, summary, used } from './words';

const TICK = 1000;
const ICONS: Record<Status, [icon: string, colour?: string]> = {
  pending: ['circle-outline'],
  running: ['loading~spin'],
  completed: ['pass', 'testing.iconPassed'],
  failed: ['error', 'testing.iconFailed'],
  cancelled: ['circle-slash', 'testing.iconSkipped'],
};

export interface RunNode {
  run: Run;
}
export interface SessionNode extends RunNode {
  session: Session;
}
export type Node = RunNode | SessionNode;

export function isSession(node: Node): node is SessionNode {
  return 'session' in node;
}

export class Runs implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<Node[] | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly view: vscode.TreeView<Node>;
  private readonly item: vscode.StatusBarItem;
  private readonly activities = new Map<string, string>();
  private nodes: RunNode[] = [];
  private loading: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  private clock: NodeJS.Timeout | undefined;

  constructor(private readonly server: Server) {
    this.view = vscode.window.createTreeView('bugLsp.runs', { treeDataProvider: this });
    this.item = vscode.window.createStatusBarItem('bugLsp.running', vscode.StatusBarAlignment.Left);
    this.item.name = 'Bug LSP';
    this.item.command = 'bugLsp.runs.focus';
    this.view.onDidChangeVisibility(() => {
      this.tick();
    });
  }

  /** All runs, newest first. */
  get all(): Run[] {
    return this.nodes.map((node) => node.run);
  }

  /** Those of which something has not ended. */
  get running(): Run[] {
    return this.all.filter((run) => everyone(run).some((one) => !ended(one)));
  }

  /** The run of a session, asked for again where it is not known yet. */
  async runOf(sessionId: string): Promise<Run | undefined> {
    const of = (): Run | undefined =>
      this.all.find((run) => everyone(run).some((one) => one.sessionId === sessionId));
    const known = of();
    if (known !== undefined) {
      return known;
    }
    await this.load();
    return of();
  }

  session(sessionId: string): Session | undefined {
    return this.all.flatMap(everyone).find((one) => one.sessionId === sessionId);
  }

  /** What a session is doing, from its progress. It is seen with the next second of its time: a row
   * that were drawn anew for each report would swallow clicks. */
  says(sessionId: string, activity: string): void {
    this.activities.set(sessionId, activity);
  }

  /** Read all runs again, after what is being read now. */
  async load(): Promise<void> {
    this.next ??= this.loading.then(() => {
      this.next = undefined;
      this.loading = this.read();
      return this.loading;
    });
    return this.next;
  }

  private async read(): Promise<void> {
    const asked = this.server.ask<{ runs: Run[] }>('listDebugRuns', { limit: 50 });
    const answer = await asked.catch(() => undefined);
    this.nodes = (answer?.runs ?? []).map((run) => ({ run }));
    this.shown.clear();
    this.changed.fire(undefined);
    this.sum();
    this.tick();
  }

  private sum(): void {
    const busy = this.running.flatMap(everyone).filter((one) => one.status === 'running');
    const some = this.running.length > 0;
    this.view.badge =
      busy.length > 0 ? { value: busy.length, tooltip: `${busy.length} sessions are running` } : undefined;
    void vscode.commands.executeCommand('setContext', 'bugLsp.running', some);
    void vscode.commands.executeCommand('setContext', 'bugLsp.hasRuns', this.nodes.length > 0);
    const delivered = this.all.some((run) => run.delivered);
    void vscode.commands.executeCommand('setContext', 'bugLsp.delivered', delivered);
    if (!some) {
      this.item.hide();
      return;
    }
    const [run] = this.running;
    this.item.text = `$(loading~spin) ${run === undefined ? '' : summary(run)}`;
    this.item.tooltip = this.running.map((one) => `${one.title}: ${summary(one)}`).join('\n');
    this.item.show();
  }

  /** Lets the elapsed time pass, while it is seen. Only the clock is looked at. */
  private tick(): void {
    const wanted = this.view.visible && this.running.length > 0;
    if (!wanted) {
      clearInterval(this.clock);
      this.clock = undefined;
    } else {
      this.clock ??= setInterval(() => {
        this.changed.fire([...this.shown.values()].filter((node) => node.session.status === 'running'));
      }, TICK);
    }
  }

  private readonly shown = new Map<string, SessionNode>();

  getChildren(node?: Node): Node[] {
    if (node === undefined) {
      return this.nodes;
    }
    if (isSession(node)) {
      return [];
    }
    return everyone(node.run).map((session) => {
      const made = { run: node.run, session };
      this.shown.set(session.sessionId, made);
      return made;
    });
  }

  getParent(node: Node): Node | undefined {
    return isSession(node) ? this.nodes.find((one) => one.run === node.run) : undefined;
  }

  getTreeItem(node: Node): vscode.TreeItem {
    return isSession(node) ? this.sessionItem(node) : runItem(node.run);
  }

  private sessionItem({ run, session }: SessionNode): vscode.TreeItem {
    const label = session.title.split(':')[0] ?? session.title;
    const by = session.kind === 'proof' ? '' : ` ${session.agentType}`;
    const item = new vscode.TreeItem(`${label}${by}`);
    item.id = session.sessionId;
    const activity = this.activities.get(session.sessionId) ?? session.activity;
    const said = session.status === 'running' ? activity.replace(`${session.agentType}: `, '') : '';
    const what = session.failure?.message ?? (session.retriedBy === null ? said : 'tried again below');
    const shown = [elapsed(session, Date.now()), used(session), oneLine(what, 100)];
    item.description = (session.failure === null ? shown : shown.reverse())
      .filter((part) => part !== '')
      .join(' · ');
    item.tooltip = session.failure === null ? `${session.title}: ${session.status}` : session.failure.message;
    const [icon, colour] = ICONS[session.status];
    const painted = colour === undefined ? undefined : new vscode.ThemeColor(colour);
    item.iconPath = new vscode.ThemeIcon(icon, painted);
    item.contextValue = [
      'session',
      ended(session) ? 'ended' : 'running',
      session.kind,
      ...(session.hasPatch ? ['patch'] : []),
    ].join(' ');
    const spoken = `${label}${by}, ${session.status}, ${item.description}`;
    item.accessibilityInformation = { label: spoken };
    item.command = opening(titled(vscode.Uri.parse(session.uri), session, run), run);
    return item;
  }

  dispose(): void {
    clearInterval(this.clock);
    vscode.Disposable.from(this.changed, this.view, this.item).dispose();
  }
}

function runItem(run: Run): vscode.TreeItem {
  const busy = everyone(run).some((one) => !ended(one));
  const item = new vscode.TreeItem(
    run.title,
    busy ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed,
  );
  item.id = run.debugRunId;
  item.description = summary(run);
  const when = new Date(run.createdAt).toLocaleString();
  item.tooltip = `${run.title}\n${when}\n${vscode.Uri.parse(run.taskUri).fsPath}`;
  const lost = run.failedCount + run.cancelledCount > 0;
  item.contextValue = ['run', busy ? 'running' : 'ended', ...(lost && !busy ? ['lost'] : [])].join(' ');
  item.iconPath = new vscode.ThemeIcon(busy ? 'sync~spin' : run.delivered ? 'check-all' : 'warning');
  return item;
}
