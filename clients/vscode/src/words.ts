/** How numbers and names are said. */
import { ended, standing, type Run, type Session } from './wire';

/** "42s", "2m 3s", "1h 5m". */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) {
    return `${seconds}s`;
  }
  return minutes < 60 ? `${minutes}m ${seconds % 60}s` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}

/** How long a session has worked. */
export function elapsed(session: Session, now: number): string {
  if (session.startedAt === null) {
    return 'waiting';
  }
  const end = session.endedAt === null ? now : Date.parse(session.endedAt);
  return duration(end - Date.parse(session.startedAt));
}

/** "12,345 tokens, $0.12"; "" where the agent does not tell. */
export function used(session: Session): string {
  if (session.usage === null) {
    return '';
  }
  const tokens = session.usage.inputTokens + session.usage.outputTokens;
  const cost = session.usage.costUsd === null ? '' : `, $${session.usage.costUsd.toFixed(2)}`;
  return `${tokens.toLocaleString('en')} tokens${cost}`;
}

/** A text as one short line. */
export function oneLine(text: string, limit: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`;
}

/** "Debug (2) codex 16.31 Totals are a cent too low": the name of a session's document. */
export function nameOf(session: Session, run: Run | undefined): string {
  const [label = '', ...title] = session.title.split(':');
  const by = session.kind === 'proof' ? '' : session.agentType;
  const begun = run === undefined ? undefined : new Date(run.createdAt);
  const when = begun?.toTimeString().slice(0, 5).replace(':', '.') ?? '';
  const whole = [label, by, when, title.join(' ')].join(' ');
  return oneLine(whole.replace(/[\\/:*?"<>|#]+/g, ' '), 70);
}

/** Where a run is, in a few words. */
export function summary(run: Run): string {
  const left = standing(run).filter((one) => !ended(one)).length;
  if (left > 0) {
    return `${run.totalCount - left} of ${run.totalCount} agents done`;
  }
  if (run.orchestrator !== null && !ended(run.orchestrator)) {
    return 'the synthesis is being written';
  }
  if (run.proof !== null && !ended(run.proof)) {
    return 'findings are being checked';
  }
  const lost = run.failedCount + run.cancelledCount;
  const all = run.totalCount === 1 ? '1 agent' : `${run.totalCount} agents`;
  return `${run.delivered ? 'done' : 'ended'}, ${lost === 0 ? '' : `${run.completedCount} of `}${all}`;
}
