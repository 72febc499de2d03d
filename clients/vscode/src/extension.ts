/** Puts the parts together; nothing is decided here. */
import * as vscode from 'vscode';

import { Commands } from './commands';
import { resume } from './demo';
import { Documents, goTo, open, SCHEME, sessionOf, titled } from './documents';
import { answerQuestions } from './done';
import { Follow } from './follow';
import { offerLinks } from './lenses';
import { Progress } from './progress';
import { reopen } from './reopen';
import { Runs } from './runs';
import { Server } from './server';

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const made = new Server(context);
  server = made;
  const documents = new Documents(() => made.ready());
  const runs = new Runs(made);
  const progress = new Progress(made, runs);
  made.features = [
    (client) => {
      answerQuestions(client);
      return documents.feature(client);
    },
  ];
  made.notifications = {
    'bugLsp/runChanged': () => {
      void runs.load().then(() => {
        progress.update();
      });
    },
  };
  made.middleware = {
    handleWorkDoneProgress: progress.handle,
    window: {
      showDocument: async (params, token, next) => {
        const uri = vscode.Uri.parse(params.uri);
        if (params.takeFocus === true && runs.all.some((one) => one.taskUri === params.uri)) {
          await goTo(uri);
          return { success: true };
        }
        if (uri.scheme !== SCHEME) {
          return next(params, token);
        }
        const id = sessionOf(uri);
        const run = await runs.runOf(id);
        await open(titled(uri, runs.session(id), run), run, params.takeFocus === true);
        return { success: true };
      },
    },
  };
  context.subscriptions.push(
    made,
    documents,
    new Follow(),
    offerLinks(),
    runs,
    new Commands(made, runs, context).register(),
    made.onDidChange((state) => {
      if (state !== 'up') {
        progress.clear();
      }
      if (state !== 'starting') {
        void runs.load();
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => made.start()),
    vscode.workspace.onDidChangeConfiguration(() => made.follow()),
  );
  void made.start();
  void resume(context);
  void reopen(context.workspaceState).then((held) => context.subscriptions.push(held));
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}
