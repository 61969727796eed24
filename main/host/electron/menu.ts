import type { MenuItemConstructorOptions } from 'electron'

/** The pages that the menu leads to: label, address, and the key that opens them with Ctrl or Command; 0 is the usual size. */
export const MENU_PAGES: readonly (readonly [label: string, hash: string, key: string])[] = [
  ['Home', '#/', '1'],
  ['Models', '#/models', '2'],
  ['Datasets', '#/datasets', '3'],
  ['Prompts', '#/prompts', '4'],
  ['Templates', '#/templates', '5'],
  ['Rewards', '#/rewards', '6'],
  ['Train', '#/train', '7'],
  ['Runs', '#/runs', '8'],
  ['Adapters', '#/adapters', '9'],
  ['Studio', '#/studio', 'D'],
  ['Settings', '#/settings', ','],
]

export interface MenuActions {
  /** Opens a page of ours by the hash of its address. */
  readonly go: (hash: string) => void
}

/**
 * The menu as each system's people expect it: what the system knows to do by itself is left to its roles, so that labels, keys and
 * languages are the system's own. There is no item that would load the pages anew or open the developer tools.
 */
export function menuTemplate(platform: NodeJS.Platform, name: string, { go }: MenuActions): MenuItemConstructorOptions[] {
  const page = ([label, hash, key]: (typeof MENU_PAGES)[number]): MenuItemConstructorOptions => ({
    label, accelerator: `CommandOrControl+${key}`, click: () => go(hash),
  })
  const pages = MENU_PAGES.map(page)
  const settings = pages.slice(-1).map((item) => ({ ...item, label: 'Settings …' }))
  const separator: MenuItemConstructorOptions = { type: 'separator' }
  const mac = platform === 'darwin'
  const application: MenuItemConstructorOptions = {
    label: name,
    submenu: [
      { role: 'about' }, separator, ...settings, separator, { role: 'services' }, separator,
      { role: 'hide' }, { role: 'hideOthers' }, { role: 'unhide' }, separator, { role: 'quit' },
    ],
  }
  return [
    ...(mac ? [application] : [{ role: 'fileMenu' } as const]),
    { role: 'editMenu' },
    { label: '&Go', submenu: mac ? pages.slice(0, -1) : pages },
    {
      label: '&View',
      submenu: [{ role: 'resetZoom' }, { role: 'zoomIn' }, { role: 'zoomOut' }, separator, { role: 'togglefullscreen' }],
    },
    { role: 'windowMenu' },
  ]
}
