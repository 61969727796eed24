import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drawHand } from '../../../native-models/starter/world/draw-hand.ts'
import { encodePng } from '../../../main/engine/pictures/png.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import { freshHands } from '../judge/drawings.ts'
import { run } from './recorder.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-judge-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const inFolder = (name: string): string => join(folder, name)

describe('halfstep judge', () => {
  const [hand] = freshHands(3, 1)
  const drawn = async (name: string): Promise<string> => {
    writeFileSync(inFolder(name), await encodePng(float32([3, 64, 64], drawHand(hand!))))
    return inFolder(name)
  }

  it('says in a line what it sees, whatever the size', async () => {
    const path = await drawn('hand.png')
    const large = inFolder('large.png')
    await sharp(path).resize(256, 256, { kernel: 'nearest' }).toFile(large)
    const { code, out, err } = await run(['judge', path, large])
    expect([code, err]).toEqual([0, ''])
    for (const name of [path, large]) expect(out).toContain(`✓ ${name}: ${hand!.fingers} fingers, thumb on the `)
    expect(out).toContain(`${hand!.skin} skin (#`)
    expect(out).toContain(` on ${hand!.background}\n`)
    expect(out).toMatch(/2 pictures: \d fingers 2\n {2}well-formed {2}2 of 2, 100\.0 % \(34\.2 to 100\.0\)/)
  })

  it('says why a picture is not well-formed', async () => {
    const path = inFolder('plain.png')
    await sharp({ create: { width: 80, height: 64, channels: 3, background: '#2c8c48' } }).png().toFile(path)
    const { code, out } = await run(['judge', path])
    expect([code, out]).toEqual([0, `! ${path}: no hand, green all over; not well-formed: nothing stands out from the background\n`])
  })

  it('gives one document with --json', async () => {
    const path = await drawn('hand.png')
    const { out } = await run(['judge', path, '--json'])
    expect(JSON.parse(out)).toMatchObject({
      pictures: [{ path, fingers: hand!.fingers, wellFormed: true, isHand: true, faults: [] }], summary: { pictures: 1 },
    })
  })

  it('names a file that is missing, broken or too small', async () => {
    writeFileSync(inFolder('text.png'), 'hand')
    await sharp({ create: { width: 40, height: 300, channels: 3, background: 'red' } }).png().toFile(inFolder('small.png'))
    const wrong = [['none.png', 'cannot be read'], ['text.png', 'is neither'], ['small.png', 'is 40 × 300 pixels']] as const
    for (const [name, cause] of wrong) {
      const { code, err } = await run(['judge', inFolder(name)])
      expect([code, err]).toEqual([1, expect.stringContaining(`${name} ${cause}`)])
    }
  })
})

describe('halfstep world draw', () => {
  it('writes a sheet of drawings, the same for the same seed', async () => {
    const draw = (name: string, ...options: string[]) => run(['world', 'draw', '--n', '10', '--out', inFolder(name), ...options])
    expect(await draw('a.png', '--seed', '4')).toMatchObject({ code: 0, out: `Wrote ${inFolder('a.png')}: 10 drawings.\n` })
    await draw('b.png', '--seed', '4')
    await draw('c.png', '--seed', '5')
    const pixels = (name: string) => sharp(inFolder(name)).raw().toBuffer({ resolveWithObject: true })
    const [a, b, c] = await Promise.all(['a.png', 'b.png', 'c.png'].map(pixels))
    expect([a!.info.width, a!.info.height]).toEqual([8 * 132 + 4, 2 * 132 + 4])
    expect(a!.data.equals(b!.data)).toBe(true)
    expect(a!.data.equals(c!.data)).toBe(false)
  })

  it('draws one number of fingers where asked, and prints captions', async () => {
    const { out } = await run(['world', 'draw', '--n', '3', '--fingers', '6', '--captions', '--out', inFolder('six.png')])
    expect(out.match(/6 drawn {2}"a .*hand.*"/g)).toHaveLength(3)
  })

  it('draws one that can be judged', async () => {
    await run(['world', 'draw', '--n', '1', '--fingers', '4', '--out', inFolder('one.png')])
    expect((await run(['judge', inFolder('one.png')])).out).toContain('4 fingers')
  })

  it('gives the ground truth with --json', async () => {
    const { out } = await run(['world', 'draw', '--n', '2', '--out', inFolder('truth.png'), '--json'])
    const { drawings } = JSON.parse(out) as { drawings: { fingers: number; caption: string }[] }
    expect(drawings).toHaveLength(2)
    for (const { fingers, caption } of drawings) expect([typeof fingers, caption.startsWith('a ')]).toEqual(['number', true])
  })

  it('replaces no file unasked, and refuses counts that there are not', async () => {
    writeFileSync(inFolder('kept.png'), 'x')
    const { code, err } = await run(['world', 'draw', '--out', inFolder('kept.png')])
    expect([code, err]).toEqual([1, expect.stringContaining('exists already')])
    for (const [option, value] of [['--fingers', '8'], ['--n', '0'], ['--n', '5000']] as const) {
      expect((await run(['world', 'draw', option, value, '--out', inFolder('never.png')])).code).toBe(2)
    }
    expect(existsSync(inFolder('never.png'))).toBe(false)
  })
})

describe('help', () => {
  it.each(['judge', 'world draw'])('of halfstep %s shows an example and the exit codes', async (command) => {
    const { code, out } = await run([...command.split(' '), '--help'])
    expect(code).toBe(0)
    for (const text of [`Usage: halfstep ${command}`, `  halfstep ${command} `, '--json', 'Exit codes:']) expect(out).toContain(text)
  })
})
