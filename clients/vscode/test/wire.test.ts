import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ended, everyone, standing, type Status } from '../src/wire';
import { run, session } from './sessions';

test('everyone is in the order of work, without those who are not there', () => {
  const debug = session();
  const orchestrator = session({ kind: 'orchestrator' });
  const proof = session({ kind: 'proof' });
  assert.deepEqual(everyone(run([debug])), [debug]);
  assert.deepEqual(everyone(run([debug], { proof, orchestrator })), [debug, proof, orchestrator]);
});

test('a session has ended unless it is pending or running', () => {
  const all: Status[] = ['pending', 'running', 'completed', 'failed', 'cancelled'];
  const over = all.filter((status) => ended(session({ status })));
  assert.deepEqual(over, ['completed', 'failed', 'cancelled']);
});

test('a session that was tried again stands no more', () => {
  const second = session();
  assert.deepEqual(standing(run([session({ retriedBy: second.sessionId }), second])), [second]);
});
