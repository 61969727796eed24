import { createContext } from 'svelte'
import type { Bridge } from '../../main/ipc/bridge.ts'
import type { AppInfo, Dataset, PromptSet, Reward, TemplateEntry } from '../../main/ipc/contract.ts'
import type { AdapterState } from './adapters.svelte.ts'
import type { Answer } from './answer.svelte.ts'
import type { Bin } from './bin.ts'
import type { ConnectionState } from './connection.svelte.ts'
import type { DeviceState } from './devices.svelte.ts'
import type { FileChooser } from './file-chooser.svelte.ts'
import type { Intake } from './intake.ts'
import type { ModelState } from './models.svelte.ts'
import type { RepairState } from './repair.svelte.ts'
import type { RouterState } from './router.svelte.ts'
import type { RunListState } from './run-list.svelte.ts'
import type { SettingsState } from './settings.svelte.ts'
import type { ShelfState } from './shelf.svelte.ts'
import type { StudioState } from './studio.svelte.ts'
import type { TaskState } from './tasks.svelte.ts'
import type { TemplatePreview } from './template-preview.svelte.ts'
import type { ToastState } from './toasts.svelte.ts'
import type { TrainState } from './train.svelte.ts'

/** What every page can reach: the way to the rest of the system, and what more than one page shows. */
export interface App {
  readonly bridge: Bridge
  readonly router: RouterState
  readonly toasts: ToastState
  readonly connection: ConnectionState
  readonly bin: Bin
  readonly info: Answer<AppInfo>
  readonly settings: SettingsState
  readonly devices: DeviceState
  readonly files: FileChooser
  readonly intake: Intake
  readonly models: ModelState
  readonly runs: RunListState
  readonly adapters: AdapterState
  readonly studio: StudioState
  readonly repair: RepairState
  readonly datasets: ShelfState<Dataset>
  readonly prompts: ShelfState<PromptSet>
  readonly templates: ShelfState<TemplateEntry>
  readonly templatePreview: TemplatePreview
  readonly rewards: ShelfState<Reward>
  readonly train: TrainState
  readonly tasks: TaskState
}

export const [useApp, provideApp] = createContext<App>()
