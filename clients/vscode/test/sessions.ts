/** Sessions and runs as the server tells them. */
import type { Run, Session } from '../src/wire';

export function session(known: Partial<Session> = {}): Session {
  return {
    sessionId: 'a'.repeat(12),
    debugRunId: 'b'.repeat(16),
    kind: 'debug',
    agentType: 'codex',
    model: null,
    title: 'Debug (1): Totals are a cent too low',
    status: 'completed',
    activity: '',
    startedAt: '2026-11-22T10:00:00Z',
    endedAt: '2026-11-22T10:02:03Z',
    failure: null,
    usage: null,
    uri: 'bug-lsp:/runs/b/a.md',
    retriedBy: null,
    hasPatch: false,
    ...known,
  };
}

export function run(sessions: Session[], known: Partial<Run> = {}): Run {
  const standing = sessions.filter((one) => one.retriedBy === null);
  const count = (status: string): number => standing.filter((one) => one.status === status).length;
  return {
    debugRunId: 'b'.repeat(16),
    taskUri: 'file:///shop/tasks/totals.md',
    title: 'Totals are a cent too low',
    createdAt: '2026-11-22T10:00:00Z',
    sessions,
    totalCount: standing.length,
    completedCount: count('completed'),
    failedCount: count('failed'),
    cancelledCount: count('cancelled'),
    orchestrator: null,
    proof: null,
    delivered: false,
    ...known,
  };
}
