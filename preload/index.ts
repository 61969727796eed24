import { contextBridge, ipcRenderer, webUtils } from 'electron'
import { createBridge, type PathsOfFiles } from '../main/ipc/bridge.ts'

const bridge = createBridge({
  invoke: (name, args) => ipcRenderer.invoke('call', name, args),
  subscribe(name, listener) {
    const channel = `event:${name}`
    const receive = (_event: unknown, payload: unknown): void => listener(payload)
    ipcRenderer.on(channel, receive)
    return () => ipcRenderer.off(channel, receive)
  },
})

const paths: PathsOfFiles<File> = { pathOf: (file) => webUtils.getPathForFile(file) }

contextBridge.exposeInMainWorld('halfstep', { ...bridge, ...paths })
