/** The shapes of docs/protocol.md, as far as they are used here. */

export type Status = 'pending' | 'running' | 'completed' | 'failed' | 'cancelled';
export type Kind = 'debug' | 'proof' | 'orchestrator';

export interface Session {
  sessionId: string;
  debugRunId: string;
  kind: Kind;
  agentType: string;
  model: string | null;
  title: string;
  status: Status;
  activity: string;
  startedAt: string | null;
  endedAt: string | null;
  failure: { kind: string; message: string } | null;
  usage: { inputTokens: number; outputTokens: number; costUsd: number | null } | null;
  uri: string;
  retriedBy: string | null;
  hasPatch: boolean;
}

export interface Run {
  debugRunId: string;
  taskUri: string;
  title: string;
  createdAt: string;
  sessions: Session[];
  totalCount: number;
  completedCount: number;
  failedCount: number;
  cancelledCount: number;
  orchestrator: Session | null;
  proof: Session | null;
  delivered: boolean;
}

export interface Agent {
  agentType: string;
  installed: boolean;
  version: string | null;
  ready: boolean;
  hint: string;
  confinedBy: string | null;
}

export interface SessionPatch {
  label: string;
  proven: boolean;
  facts: string;
  files: { path: string; before: string | null; after: string | null }[];
}

/** All sessions of a run, in the order in which they work. */
export function everyone(run: Run): Session[] {
  return [...run.sessions, run.proof, run.orchestrator].filter((one) => one !== null);
}

/** Whether nothing more will happen in it by itself. */
export function ended(session: Session): boolean {
  return session.status !== 'pending' && session.status !== 'running';
}

/** The debug sessions that count: those that were retried do not. */
export function standing(run: Run): Session[] {
  return run.sessions.filter((one) => one.retriedBy === null);
}
