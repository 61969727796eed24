import { ESLint } from 'eslint'
import { join } from 'node:path'
import tseslint from 'typescript-eslint'
import { describe, expect, it } from 'vitest'

/** Our own configuration, without the rules that need the compiler: the files linted here exist only in memory. */
const eslint = new ESLint({
  cwd: join(import.meta.dirname, '..', '..'),
  overrideConfig: [
    { ...tseslint.configs.disableTypeChecked, files: ['**/*.{ts,svelte}'] },
    { files: ['**/*.{ts,svelte}'], languageOptions: { parserOptions: { projectService: false, project: false } } },
  ],
})

/** What the layer rule says about one statement in a file at that path. */
async function layerErrors(path: string, statement: string): Promise<string[]> {
  const [result] = await eslint.lintText(`${statement}\n`, { filePath: path })
  const messages = result?.messages ?? []
  expect(messages.filter(({ fatal }) => fatal)).toEqual([])
  return messages.filter(({ ruleId }) => ruleId?.startsWith('boundaries/')).map(({ message }) => message)
}

const ERRORS = "import { HalfstepError } from '../engine/errors.ts'"
const PROTOCOL = "import { DeviceRecord } from '../engine/protocol.ts'"
const CLIENT = "import { EngineClient } from '../engine/process/engine-client.ts'"

describe('the layer rule allows', () => {
  it.each([
    ['renderer/pages/x.ts', "import type { Bridge } from '../../main/ipc/bridge.ts'"],
    ['renderer/pages/x.ts', "import { CALLS } from '../../main/ipc/contract.ts'"],
    ['renderer/pages/x.ts', "import { mount } from 'svelte'"],
    ['renderer/pages/x.svelte', `<script lang="ts">import { CALLS } from '../../main/ipc/contract.ts'</script>`],
    ['preload/x.ts', "import { createBridge } from '../main/ipc/bridge.ts'"],
    ['preload/x.ts', "import { ipcRenderer } from 'electron'"],
    ['main/ipc/contract.ts', "import type { ErrorValue } from '../engine/errors.ts'"],
    ['main/ipc/contract.ts', "import { z } from 'zod'"],
    ['main/ipc/x.ts', "import type { Services } from '../services/services.ts'"],
    ['main/ipc/x.ts', ERRORS],
    ['main/host/x.ts', "import { createRouter } from '../ipc/router.ts'"],
    ['main/host/x.ts', "import { app } from 'electron'"],
    ['main/index.ts', "import { openServices } from './services/services.ts'"],
    ['main/services/x.ts', "import { openDatabase } from '../store/database.ts'"],
    ['main/store/x.ts', "import Database from 'better-sqlite3'"],
    ['main/store/x.ts', ERRORS],
    ['main/store/x.ts', PROTOCOL],
    ['main/services/x.ts', PROTOCOL],
    ['main/services/x.ts', CLIENT],
    ['main/ipc/contract.ts', PROTOCOL],
    ['main/engine/autodiff/x.ts', "import { graph } from '../graph/graph.ts'"],
    ['main/engine/runtime/x.ts', "import * as ort from 'onnxruntime-node'"],
    ['main/engine/runtime/x.ts', "import { open } from '../../../native-models/weights/weight-source.ts'"],
    ['native-models/unet/x.ts', "import { zeros } from '../../main/engine/tensor/tensor.ts'"],
    ['native-models/unet/x.ts', "import { HalfstepError } from '../../main/engine/errors.ts'"],
    ['main/cli/x.ts', "import { Session } from '../engine/runtime/session.ts'"],
    ['main/cli/x.ts', "import { openServices } from '../services/services.ts'"],
    ['test/unit/x.test.ts', "import { Session } from '../../main/engine/runtime/session.ts'"],
  ])('%s: %s', async (path, statement) => {
    expect(await layerErrors(path, statement)).toEqual([])
  })
})

describe('the layer rule refuses', () => {
  it.each([
    ['renderer/pages/x.ts', "import { openDatabase } from '../../main/store/database.ts'"],
    ['renderer/pages/x.ts', "import { createRouter } from '../../main/ipc/router.ts'"],
    ['renderer/pages/x.ts', "import { HalfstepError } from '../../main/engine/errors.ts'"],
    ['renderer/pages/x.ts', "import { readFile } from 'node:fs/promises'"],
    ['renderer/pages/x.ts', "import { ipcRenderer } from 'electron'"],
    ['renderer/pages/x.svelte', `<script lang="ts">import { openDatabase } from '../../main/store/database.ts'</script>`],
    ['preload/x.ts', "import { createRouter } from '../main/ipc/router.ts'"],
    ['preload/x.ts', "import { readFile } from 'node:fs/promises'"],
    ['main/ipc/contract.ts', ERRORS],
    ['main/ipc/contract.ts', "import { openServices } from '../services/services.ts'"],
    ['main/ipc/contract.ts', "import { join } from 'node:path'"],
    ['main/ipc/x.ts', "import { openDatabase } from '../store/database.ts'"],
    ['main/ipc/x.ts', "import { app } from 'electron'"],
    ['main/ipc/x.ts', "import { answerPage } from '../host/pages.ts'"],
    ['main/host/x.ts', "import { openDatabase } from '../store/database.ts'"],
    ['main/host/x.ts', "import { Session } from '../engine/runtime/session.ts'"],
    ['main/services/x.ts', "import { Session } from '../engine/runtime/session.ts'"],
    ['main/services/x.ts', "import { zeros } from '../engine/tensor/tensor.ts'"],
    ['main/services/x.ts', "import { createRouter } from '../ipc/router.ts'"],
    ['main/services/x.ts', "import { app } from 'electron'"],
    ['main/services/x.ts', "import Database from 'better-sqlite3'"],
    ['main/store/x.ts', CLIENT],
    ['main/ipc/contract.ts', CLIENT],
    ['main/store/x.ts', "import { DeviceService } from '../services/devices.ts'"],
    ['main/engine/runtime/x.ts', "import { app } from 'electron'"],
    ['main/engine/runtime/x.ts', "import Database from 'better-sqlite3'"],
    ['main/engine/runtime/x.ts', "import { openDatabase } from '../../store/database.ts'"],
    ['main/engine/runtime/x.ts', "import { DeviceService } from '../../services/devices.ts'"],
    ['main/engine/runtime/x.ts', "export * from '../../services/devices.ts'"],
    ['main/engine/runtime/x.ts', "export const late = () => import('../../services/devices.ts')"],
    ['main/engine/runtime/x.ts', "import type { DeviceService } from '../../services/devices.ts'"],
    ['main/engine/graph/x.ts', "import { Session } from '../runtime/session.ts'"],
    ['main/engine/graph/x.ts', "import { open } from '../../../native-models/weights/weight-source.ts'"],
    ['native-models/unet/x.ts', "import { Session } from '../../main/engine/runtime/session.ts'"],
    ['native-models/unet/x.ts', "import * as ort from 'onnxruntime-node'"],
    ['main/cli/x.ts', "import { openDatabase } from '../store/database.ts'"],
    ['main/services/x.ts', "import { run } from '../cli/index.ts'"],
    ['native-models/unet/x.ts', "import { x } from '../../test/run.ts'"],
    ['main/services/x.ts', "import { x } from './no-such-file.ts'"],
    ['elsewhere/x.ts', "import { zeros } from '../main/engine/tensor/tensor.ts'"],
  ])('%s: %s', async (path, statement) => {
    expect(await layerErrors(path, statement)).not.toEqual([])
  })
})
