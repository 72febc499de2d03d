import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { find, NoServer, type Wishes } from '../src/find';

const before = { PATH: process.env['PATH'], HOME: process.env['HOME'] };
let root = '';
let extension = '';
let bin = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'find-'));
  extension = join(root, 'extension');
  bin = join(root, 'bin');
  process.env['PATH'] = bin;
  process.env['HOME'] = root;
  await mkdir(bin);
});

afterEach(async () => {
  Object.assign(process.env, before);
  await rm(root, { recursive: true });
});

async function program(folder: string, name: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  await writeFile(path, '#!/bin/sh\n');
  await chmod(path, 0o755);
  return path;
}

async function wheel(): Promise<string> {
  await mkdir(join(extension, 'server'), { recursive: true });
  const path = join(extension, 'server', 'bug_lsp-0.1.0-py3-none-any.whl');
  await writeFile(path, '');
  return path;
}

function wishes(known: Partial<Wishes> = {}): Wishes {
  return { path: '', uv: 'uv', extras: [], ...known };
}

async function refused(asked: Wishes, message: RegExp, remedy: string): Promise<void> {
  await assert.rejects(
    find(asked, extension),
    (error) => error instanceof NoServer && message.test(error.message) && error.remedy === remedy,
  );
}

test('the program of the setting comes before all others', async () => {
  await wheel();
  await program(bin, 'uv');
  const mine = await program(join(root, 'mine'), 'bug-lsp');
  const found = await find(wishes({ path: mine }), extension);
  assert.deepEqual([found.command, found.args, found.install], [mine, ['serve'], undefined]);
});

test('a program of the setting may be in the home folder or on the PATH', async () => {
  const mine = await program(join(root, 'mine'), 'server');
  const other = await program(bin, 'other');
  assert.equal((await find(wishes({ path: '~/mine/server' }), extension)).command, mine);
  assert.equal((await find(wishes({ path: 'other' }), extension)).command, other);
});

test('a program of the setting that is not there is an error, whatever else is', async () => {
  await program(bin, 'bug-lsp');
  await refused(wishes({ path: '/no/where' }), /no program \/no\/where.*server\.path/, 'Open Settings');
});

test('uv runs the wheel of the extension without a network, and installs it with one', async () => {
  const path = await wheel();
  const uv = await program(bin, 'uv');
  const found = await find(wishes(), extension);
  const server = ['--quiet', '--from', path, 'bug-lsp'];
  assert.equal(found.command, uv);
  assert.deepEqual(found.args, ['tool', 'run', '--offline', ...server, 'serve']);
  assert.deepEqual(found.install, {
    ask: ['tool', 'run', '--offline', ...server, '--version'],
    make: ['tool', 'run', ...server, '--version'],
  });
});

test('extras are installed beside the server', async () => {
  const path = await wheel();
  await program(bin, 'uv');
  const found = await find(wishes({ extras: ['codex', 'claude'] }), extension);
  assert.ok(found.args.includes(`${path}[codex,claude]`));
});

test('without uv the server on the PATH is taken', async () => {
  await wheel();
  const installed = await program(bin, 'bug-lsp');
  assert.equal((await find(wishes(), extension)).command, installed);
});

test('what an installer has put into the home folder is found before the next login', async () => {
  await wheel();
  const uv = await program(join(root, '.local', 'bin'), 'uv');
  assert.equal((await find(wishes(), extension)).command, uv);
});

test('folders, files that are not executable and relative folders of the PATH are passed over', async () => {
  await mkdir(join(bin, 'uv'));
  await writeFile(join(bin, 'bug-lsp'), '');
  process.env['PATH'] = ['', '.', bin].join(delimiter);
  await refused(wishes(), /uv, which is not on the PATH/, 'Install uv');
});

test('a uv of the setting that is not there is named', async () => {
  await wheel();
  await refused(wishes({ uv: 'uvv' }), /no program uvv.*server\.uv/, 'Open Settings');
});
