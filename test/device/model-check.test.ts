import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { testedDevice } from './tested-device.ts'

const run = promisify(execFile)
const HALFSTEP = path.join(import.meta.dirname, '../../main/cli/halfstep.mjs')
const GOLDEN = path.join(import.meta.dirname, '../golden')
const Report = z.object({ passed: z.boolean(), lines: z.array(z.object({ output: z.string(), relativeError: z.number() })) })

const device = testedDevice()
/** A software renderer takes minutes for a whole model: these outputs touch every kind of layer, forward and backward. */
const PARTS = process.env.HALFSTEP_TEST_WHOLE === '1' ? [undefined] : ['text.', 'unet.', 'vae.decode']

it.each(PARTS)(`golden cases hold on ${device}: %s`, { timeout: 1_200_000 }, async (only) => {
  const folder = path.join(GOLDEN, 'sd15-micro')
  const args = [HALFSTEP, 'model', 'check', folder, path.join(folder, 'cases.safetensors'), '--device', device, '--json']
  const { stdout } = await run(process.execPath, [...args, ...(only === undefined ? [] : ['--only', only])], { maxBuffer: 2 ** 26 })
  const report = Report.parse(JSON.parse(stdout))
  expect(report.passed).toBe(true)
  expect(report.lines.length).toBeGreaterThan(1)
})
