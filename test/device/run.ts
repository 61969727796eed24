/**
 * `npm run test:device [-- --device webgpu] [--whole]`: every operator with its gradient, and golden models, on a device of this
 * machine. WebGPU is tested through SwiftShader where there is no GPU. `--whole` checks whole models, which takes SwiftShader
 * about ten minutes.
 */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { DEVICES } from '../../main/engine/protocol.ts'
import { swiftShaderEnvironment } from '../unit/runtime/swiftshader.ts'

const { values } = parseArgs({ options: { device: { type: 'string', default: 'webgpu' }, whole: { type: 'boolean', default: false } } })
if (!DEVICES.some((device) => device === values.device)) {
  console.error(`There is no device ${values.device}; choose one of ${DEVICES.join(', ')}.`)
  process.exit(2)
}
const { status } = spawnSync('vitest run --project device', {
  cwd: path.join(import.meta.dirname, '../..'),
  stdio: 'inherit',
  shell: true,
  env: {
    ...(values.device === 'webgpu' ? swiftShaderEnvironment : {}),
    ...process.env,
    HALFSTEP_TEST_DEVICE: values.device,
    HALFSTEP_TEST_WHOLE: values.whole ? '1' : '0',
  },
})
process.exitCode = status ?? 1
