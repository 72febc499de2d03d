import assert from 'node:assert/strict';
import { test } from 'node:test';

import { duration, elapsed, nameOf, oneLine, summary, used } from '../src/words';
import { run, session } from './sessions';

const usage = { inputTokens: 12_000, outputTokens: 345, costUsd: null };

test('a duration has its two largest units', () => {
  assert.equal(duration(0), '0s');
  assert.equal(duration(59_999), '59s');
  assert.equal(duration(123_000), '2m 3s');
  assert.equal(duration(3_900_000), '1h 5m');
});

test('a clock that goes back makes no negative duration', () => {
  assert.equal(duration(-5000), '0s');
});

test('a session that has not started waits', () => {
  assert.equal(elapsed(session({ startedAt: null, endedAt: null }), 0), 'waiting');
});

test('the time of a session goes on until it has ended', () => {
  const now = Date.parse('2026-11-22T10:10:00Z');
  assert.equal(elapsed(session({ endedAt: null }), now), '10m 0s');
  assert.equal(elapsed(session(), now), '2m 3s');
});

test('what an agent used is told as far as it tells', () => {
  assert.equal(used(session()), '');
  assert.equal(used(session({ usage })), '12,345 tokens');
  assert.equal(used(session({ usage: { ...usage, costUsd: 0.125 } })), '12,345 tokens, $0.13');
});

test('a text becomes one line of at most so many characters', () => {
  assert.equal(oneLine(' two\n  lines ', 20), 'two lines');
  assert.equal(oneLine('a'.repeat(30), 10), `${'a'.repeat(9)}…`);
});

test('the name of a document tells agents and runs apart and is a file name', () => {
  const one = session({ title: 'Debug (2): a/b: "c" <d>|e' });
  const begun = new Date(2026, 10, 22, 16, 31).toISOString();
  assert.equal(nameOf(one, run([one], { createdAt: begun })), 'Debug (2) codex 16.31 a b c d e');
});

test('a document whose run is not known yet has a name too', () => {
  assert.equal(nameOf(session({ title: 'Orchestrator: Totals' }), undefined), 'Orchestrator codex Totals');
});

test('the proof is not called by an agent', () => {
  const proof = session({ kind: 'proof', agentType: 'proof', title: 'Proof: Totals' });
  assert.equal(nameOf(proof, undefined), 'Proof Totals');
});

test('a run says how many agents are done while some are not', () => {
  assert.equal(summary(run([session(), session({ status: 'running' })])), '1 of 2 agents done');
});

test('a session that was tried again counts once', () => {
  const again = [session({ status: 'failed', retriedBy: 'c'.repeat(12) }), session({ status: 'pending' })];
  assert.equal(summary(run(again)), '0 of 1 agents done');
});

test('after the agents a run says which stage it is in', () => {
  const busy = session({ status: 'running' });
  assert.equal(summary(run([session()], { proof: busy })), 'findings are being checked');
  assert.equal(
    summary(run([session()], { proof: session(), orchestrator: busy })),
    'the synthesis is being written',
  );
});

test('a run that has ended says whether it is done, and how many agents were', () => {
  const lost = session({ status: 'failed' });
  assert.equal(summary(run([session()], { delivered: true })), 'done, 1 agent');
  assert.equal(summary(run([session(), lost], { delivered: true })), 'done, 1 of 2 agents');
  assert.equal(summary(run([lost])), 'ended, 0 of 1 agent');
});
