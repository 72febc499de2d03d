import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NoServer, type Program } from '../src/find';
import { install, installed, reason } from '../src/install';

const never = new AbortController().signal;

/** Node in the place of uv. */
function program(ask: string, make: string): Program {
  const args = ['--eval', ask];
  return { command: process.execPath, args, from: 'here', install: { ask: args, make: ['--eval', make] } };
}

test('a program that needs no installing is installed', async () => {
  assert.equal(await installed({ command: '/no/where', args: [], from: 'here' }, never), true);
});

test('a program that answers is installed, and one that complains is not', async () => {
  assert.equal(await installed(program('0', ''), never), true);
  assert.equal(await installed(program('process.exit(2)', ''), never), false);
});

test('what installing says goes to the log', async () => {
  const said: string[] = [];
  await install(program('', 'console.log("bug-lsp 0.1.0")'), never, (text) => said.push(text));
  assert.deepEqual(said, ['bug-lsp 0.1.0']);
});

test('where installing fails the reason is told and all of it is logged', async () => {
  const complain = 'console.error("error: no room\\n  cause: disk full"); process.exit(1)';
  const said: string[] = [];
  await assert.rejects(
    install(program('', complain), never, (text) => said.push(text)),
    (error) =>
      error instanceof NoServer &&
      error.message === 'uv could not install the Bug LSP server: no room: disk full' &&
      error.remedy === 'Try Again',
  );
  assert.deepEqual(said, ['error: no room\n  cause: disk full']);
});

test('installing can be given up', async () => {
  const stop = new AbortController();
  const installing = install(program('', 'setInterval(() => {}, 1000)'), stop.signal, () => undefined);
  stop.abort();
  await assert.rejects(installing, NoServer);
});

test('of a chain of causes the first and the last are told', () => {
  const said = [
    'warning: an old setting',
    'error: Failed to fetch: https://example.org/simple/pygls/',
    '  cause: error sending request',
    '  cause: dns error',
    '',
    'hint: look elsewhere',
  ];
  const told = 'Failed to fetch: https://example.org/simple/pygls/: dns error';
  assert.equal(reason(said.join('\n')), told);
});

test('the frames of older versions of uv are not told, nor what it concludes from a cause', () => {
  const said = '  × No solution found\n  ╰─▶ Because there is no pygls\n      And because there is none';
  assert.equal(reason(said), 'No solution found: Because there is no pygls');
  assert.equal(reason('error: a\n  Caused by: b\n  Caused by: c'), 'a: c');
});

test('what is alone is told once, and what is no chain as it is', () => {
  assert.equal(reason('error: no Python\n\nhint: install one'), 'no Python');
  assert.equal(reason('spawn uv ENOEXEC'), 'spawn uv ENOEXEC');
});
