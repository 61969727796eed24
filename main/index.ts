/** The program of Electron's main process: puts the services, the router and the window together. */
import { app, dialog, utilityProcess } from 'electron'
import { broadcast, builtFiles, registerAppScheme, showFatalError, startWindowHost } from './host/electron.ts'
import { nativeDialogs } from './host/native-dialogs.ts'
import { utilityLauncher } from './host/utility-launcher.ts'
import { createHandlers } from './ipc/handlers.ts'
import { createRouter } from './ipc/router.ts'
import { engineIn } from './services/engine.ts'
import { openServices } from './services/services.ts'

function start(): void {
  const files = builtFiles(app.getAppPath())
  const services = openServices(engineIn(utilityLauncher(utilityProcess.fork, files.engine)))
  app.on('will-quit', () => services.close())
  services.start()
  const router = createRouter(createHandlers(services, broadcast, nativeDialogs(dialog)))
  startWindowHost({ files, libraryFolder: services.app.libraryFolder, router, bus: services.bus })
}

registerAppScheme()
// One instance writes the library; a second one brings the first to the front. Awaiting readiness here would hold it up for ever.
if (app.requestSingleInstanceLock()) app.whenReady().then(start).catch(showFatalError)
else app.quit()
