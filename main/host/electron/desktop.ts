import { BrowserWindow, Notification, powerSaveBlocker } from 'electron'
import type { Desktop, RunNews } from './run-watch.ts'

/** Notifications that are not held are collected with their listeners. */
const shown = new Set<Notification>()

/** Electron's side of it. @param onOpen what a click on the news of a run does */
export function electronDesktop(onOpen: (run: string) => void): Desktop {
  let blocker: number | undefined
  return {
    keepAwake(awake) {
      if (blocker !== undefined) powerSaveBlocker.stop(blocker)
      blocker = awake ? powerSaveBlocker.start('prevent-app-suspension') : undefined
    },
    showProgress(done) {
      // Below zero: no bar.
      for (const window of BrowserWindow.getAllWindows()) window.setProgressBar(done ?? -1)
    },
    tell: (news) => notify(news, onOpen),
  }
}

/** Only to someone who does not see the page say it. */
function notify({ run, title, body }: RunNews, onOpen: (run: string) => void): void {
  if (BrowserWindow.getFocusedWindow() !== null || !Notification.isSupported()) return
  const notification = new Notification({ title, body })
  shown.add(notification)
  notification.on('click', () => onOpen(run))
  notification.on('close', () => shown.delete(notification))
  notification.show()
}
