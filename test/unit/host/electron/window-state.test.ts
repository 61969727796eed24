import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readWindowState, windowPlace, writeWindowState } from '../../../../main/host/electron/window-state.ts'

const SCREEN = { x: 0, y: 0, width: 1920, height: 1040 }
const LEFT = { x: -1600, y: 0, width: 1600, height: 900 }
const KEPT = { x: 100, y: 80, width: 1400, height: 900, maximized: false }

describe('the window opens', () => {
  it('in the middle the first time', () => {
    expect(windowPlace(undefined, [SCREEN])).toEqual({ width: 1280, height: 840, maximized: false })
  })

  it('where it was left, also on another display', () => {
    expect(windowPlace(KEPT, [SCREEN])).toEqual(KEPT)
    expect(windowPlace({ ...KEPT, x: -1500 }, [SCREEN, LEFT])).toEqual({ ...KEPT, x: -1500 })
  })

  it('in the middle, as large as it was, when its display is gone or its title bar cannot be reached', () => {
    const centred = { width: 1400, height: 900, maximized: false }
    expect(windowPlace({ ...KEPT, x: -1500 }, [SCREEN])).toEqual(centred)
    expect(windowPlace({ ...KEPT, y: -200 }, [SCREEN])).toEqual(centred)
    expect(windowPlace({ ...KEPT, y: 1030 }, [SCREEN])).toEqual(centred)
    expect(windowPlace({ ...KEPT, x: 1850 }, [SCREEN])).toEqual(centred)
    expect(windowPlace(KEPT, [])).toEqual(centred)
  })

  it('as large as it was, maximized when it was, and never too small for its pages', () => {
    expect(windowPlace({ ...KEPT, width: 300, height: 200, maximized: true }, [SCREEN]))
      .toEqual({ x: 100, y: 80, width: 1024, height: 700, maximized: true })
  })
})

describe('the file that keeps it', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'halfstep-window-'))
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('is read back', () => {
    writeWindowState(join(folder, 'window.json'), KEPT)
    expect(readWindowState(join(folder, 'window.json'))).toEqual(KEPT)
  })

  it.each(['', '{', 'null', '{"x":1}', JSON.stringify({ ...KEPT, width: 1e999 }), JSON.stringify({ ...KEPT, height: '900' })])(
    'counts as none when it holds %j', (text) => {
      writeFileSync(join(folder, 'window.json'), text)
      expect(readWindowState(join(folder, 'window.json'))).toBeUndefined()
    })

  it('may be missing or impossible to write', () => {
    expect(readWindowState(join(folder, 'none.json'))).toBeUndefined()
    expect(() => writeWindowState(join(folder, 'no-folder', 'window.json'), KEPT)).not.toThrow()
  })
})
