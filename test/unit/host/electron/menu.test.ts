import type { MenuItemConstructorOptions } from 'electron'
import { describe, expect, it } from 'vitest'
import { MENU_PAGES, menuTemplate } from '../../../../main/host/electron/menu.ts'
import { hrefOf } from '../../../../renderer/state/route.ts'
import { NAVIGATION, SETTINGS } from '../../../../renderer/shell/navigation.ts'

const PLATFORMS = ['darwin', 'win32', 'linux'] as const
const nothing = { go: () => undefined }

/** Every item, whichever menu it is in. */
function itemsOf(template: readonly MenuItemConstructorOptions[]): MenuItemConstructorOptions[] {
  return template.flatMap((item) => [item, ...(Array.isArray(item.submenu) ? itemsOf(item.submenu) : [])])
}

describe('the menu', () => {
  it('leads to every page of the side navigation, in its order', () => {
    const pages = [...NAVIGATION.flatMap(({ destinations }) => destinations), SETTINGS]
    expect(MENU_PAGES.map(([label, hash]) => [label, hash])).toEqual(pages.map(({ label, route }) => [label, hrefOf(route)]))
  })

  it.each(PLATFORMS)('opens each page by a key of its own on %s', (platform) => {
    const opened: string[] = []
    const items = itemsOf(menuTemplate(platform, 'Halfstep', { go: (hash) => opened.push(hash) })).filter(({ click }) => click)
    for (const { click } of items) (click as unknown as () => void)()
    expect(opened.toSorted()).toEqual(MENU_PAGES.map(([, hash]) => hash).toSorted())
    // 0, plus and minus zoom; X, C, V, A, Z edit; W, Q, M, H close, quit and hide.
    const taken = ['0', 'X', 'C', 'V', 'A', 'Z', 'Y', 'W', 'Q', 'M', 'H', 'N'].map((key) => `CommandOrControl+${key}`)
    const keys = items.map(({ accelerator }) => accelerator)
    expect(new Set([...keys, ...taken]).size).toBe(keys.length + taken.length)
  })

  it.each(PLATFORMS)('offers neither to load the pages anew nor the developer tools on %s', (platform) => {
    const roles = itemsOf(menuTemplate(platform, 'Halfstep', nothing)).map(({ role }) => role)
    for (const role of ['reload', 'forceReload', 'toggleDevTools', 'viewMenu'] as const) expect(roles).not.toContain(role)
  })

  it('begins with the application’s own menu on macOS, and with File elsewhere', () => {
    expect(menuTemplate('darwin', 'Halfstep', nothing)[0]?.label).toBe('Halfstep')
    expect(menuTemplate('linux', 'Halfstep', nothing)[0]?.role).toBe('fileMenu')
  })
})
