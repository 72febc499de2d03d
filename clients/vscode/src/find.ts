/** Finds the server: the user's setting, then the one in the extension through uv, then the PATH. */
import { execFile } from 'node:child_process';
import { access, constants, readdir } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

export interface Program {
  command: string;
  args: string[];
  /** Where it is from, for the log. */
  from: string;
  /** What installs it, where that is not done yet. */
  prepare?: string[];
}

/** Why there is no server, in a sentence that says what to do. */
export class NoServer extends Error {}

export interface Wishes {
  path: string;
  uv: string;
  extras: string[];
}

const UNIX = process.platform !== 'win32';

export async function find(wishes: Wishes, extension: string): Promise<Program> {
  if (wishes.path !== '') {
    const program = await onPath(wishes.path);
    if (program === undefined) {
      throw new NoServer(`There is no program ${wishes.path}, which the setting bugLsp.server.path names.`);
    }
    return { command: program, args: ['serve'], from: 'the setting bugLsp.server.path' };
  }
  const wheel = await embedded(extension);
  const uv = wheel === undefined ? undefined : await onPath(wishes.uv);
  if (wheel !== undefined && uv !== undefined) {
    const extras = wishes.extras.length > 0 ? `[${wishes.extras.join(',')}]` : '';
    const run = ['tool', 'run', '--quiet', '--from', `${wheel}${extras}`, 'bug-lsp'];
    return {
      command: uv,
      args: [...run, 'serve'],
      from: 'the extension, through uv',
      prepare: [...run, '--version'],
    };
  }
  const program = await onPath('bug-lsp');
  if (program !== undefined) {
    return { command: program, args: ['serve'], from: 'the PATH' };
  }
  throw new NoServer(
    `Bug LSP has no server to run: neither ${wishes.uv} nor bug-lsp is on the PATH. ` +
      'Install uv (docs.astral.sh/uv), or name a bug-lsp program in the settings.',
  );
}

/** The wheel that the extension brings along. */
async function embedded(extension: string): Promise<string | undefined> {
  const folder = join(extension, 'server');
  const names = await readdir(folder).catch(() => []);
  const name = names.find((one) => one.endsWith('.whl'));
  return name === undefined ? undefined : join(folder, name);
}

async function onPath(name: string): Promise<string | undefined> {
  const folders = isAbsolute(name) ? [''] : (process.env['PATH'] ?? '').split(delimiter);
  for (const folder of folders) {
    const names = UNIX ? [name] : [`${name}.exe`, `${name}.cmd`, name];
    for (const one of names) {
      const path = folder === '' ? one : join(folder, one);
      if (await runs(path)) {
        return path;
      }
    }
  }
  return undefined;
}

async function runs(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Run a program to its end; its last words where it fails. */
export async function complete(program: string, args: string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { signal }, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout.trim());
      } else {
        reject(new NoServer(stderr.trim().split('\n').at(-1) ?? error.message));
      }
    });
  });
}
