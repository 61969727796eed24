import { describe, expect, it } from 'vitest'
import { chooseHost } from '../../../main/host/choose-host.ts'
import { browserCommand } from '../../../main/host/open-browser.ts'

describe('the app opens', () => {
  it('in its window where Electron is here and there is a display', () => {
    expect(chooseHost({ platform: 'linux', env: { DISPLAY: ':0' }, electron: true }).host).toBe('window')
    expect(chooseHost({ platform: 'linux', env: { WAYLAND_DISPLAY: 'wayland-0' }, electron: true }).host).toBe('window')
    expect(chooseHost({ platform: 'win32', env: {}, electron: true }).host).toBe('window')
  })

  it('in the browser where Electron could not be fetched or no window can appear, and says which', () => {
    const browser = (reason: RegExp) => ({ host: 'browser', reason: expect.stringMatching(reason) })
    expect(chooseHost({ platform: 'darwin', env: {}, electron: false })).toEqual(browser(/Electron/))
    expect(chooseHost({ platform: 'linux', env: {}, electron: true })).toEqual(browser(/no display/))
  })

  it('by each system’s own way to open an address', () => {
    const address = 'http://127.0.0.1:1/open?token=a'
    expect((['linux', 'darwin', 'win32'] as const).map((platform) => browserCommand(address, platform))).toEqual([
      ['xdg-open', address],
      ['open', address],
      ['rundll32', 'url.dll,FileProtocolHandler', address],
    ])
  })
})
