/** The message that a run has ended comes only while the user is elsewhere, for those who want it so. */
import * as vscode from 'vscode';
import type { LanguageClient, MessageActionItem, ShowMessageRequestParams } from 'vscode-languageclient/node';

const ASKS = 'window/showMessageRequest';
const ERROR = 1;
const WARNING = 2;
/** No other question of the server offers this. */
const OPEN_TASK = 'Open Task';
const SECONDS = 15;

/** Answers the server's questions in place of the client, which asks them all at once. */
export function answerQuestions(client: LanguageClient): void {
  client.onRequest(ASKS, async (params: ShowMessageRequestParams) => {
    const settings = vscode.workspace.getConfiguration('bugLsp');
    const only = settings.get('notifications.done') === 'background';
    const ended = params.actions?.[0]?.title === OPEN_TASK;
    if (only && ended && vscode.window.state.focused) {
      vscode.window.setStatusBarMessage(`$(check) ${params.message}`, SECONDS * 1000);
      return null;
    }
    return (await ask(params)) ?? null;
  });
}

type Answer = Promise<MessageActionItem | undefined>;

async function ask({ type, message, actions }: ShowMessageRequestParams): Answer {
  const choices = actions ?? [];
  if (type === ERROR) {
    return vscode.window.showErrorMessage(message, ...choices);
  }
  if (type === WARNING) {
    return vscode.window.showWarningMessage(message, ...choices);
  }
  return vscode.window.showInformationMessage(message, ...choices);
}
