import packageJson from '../../package.json' with { type: 'json' }
import { openDatabase } from '../store/database.ts'
import { lockLibrary, type LibraryLock } from '../store/library-lock.ts'
import { assetPath } from './assets.ts'
import { AdapterService } from './adapters/adapters.ts'
import { BinService } from './bin.ts'
import { DatasetService } from './datasets/datasets.ts'
import { DeviceService } from './devices.ts'
import type { Engine } from './engine.ts'
import { addBuiltInModel } from './built-in-model.ts'
import { UploadService } from './files/uploads.ts'
import { databasePath, ensureLibraryFolder, lockPath } from './library-folder.ts'
import { LibraryService } from './library/library.ts'
import { ModelService } from './models.ts'
import { PictureLibrary } from './pictures/picture-library.ts'
import { PromptService } from './prompts/prompts.ts'
import { RewardService } from './rewards/rewards.ts'
import { TasteService } from './rewards/tastes.ts'
import { RunJudge } from './runs/run-judge.ts'
import { RunService } from './runs/runs.ts'
import { RunSupervisor } from './runs/run-supervisor.ts'
import { ServiceBus } from './service-events.ts'
import { SettingsService } from './settings.ts'
import { RepairService } from './studio/repairs.ts'
import { StudioService } from './studio/studio.ts'
import { Tasks } from './tasks.ts'
import { PreviewService } from './templates/preview-template.ts'
import { TemplateService } from './templates/templates.ts'
import { TrainingService } from './training/training.ts'

/** What Halfstep says about itself. */
export interface AppFacts {
  readonly name: string
  readonly version: string
  readonly libraryFolder: string
}

/** Everything a person can do with Halfstep, ready to be asked by a window, a browser or the command line. */
export interface Services {
  readonly app: AppFacts
  /** Where the services tell what happens. */
  readonly bus: ServiceBus
  readonly tasks: Tasks
  readonly settings: SettingsService
  readonly devices: DeviceService
  readonly models: ModelService
  readonly training: TrainingService
  readonly runs: RunService
  readonly runJudge: RunJudge
  readonly adapters: AdapterService
  readonly studio: StudioService
  readonly repairs: RepairService
  readonly prompts: PromptService
  readonly templates: TemplateService
  readonly previews: PreviewService
  readonly rewards: RewardService
  readonly tastes: TasteService
  readonly datasets: DatasetService
  readonly bin: BinService
  readonly library: LibraryService
  readonly uploads: UploadService
  /**
   * Takes the library for this process and goes on with what waits in it: to be called once by a host that stays, before it shows
   * anything. What only looks something up does without. Throws `store.locked` when another Halfstep has the library.
   */
  start(): void
  /** Takes the library for this process and does nothing else. Throws `store.locked`. */
  lock(): void
  /** Ends what runs and the services' hold on the library. */
  close(): void
}

/**
 * Opens the library (created where it does not exist) and puts the services over it and the engine.
 * @param starter folder of the model that comes with the program; one that is not there is done without
 * Throws what opening a library throws: `file.unwritable`, `store.newer`, `store.unreadable`, `store.locked`.
 */
export function openServices(engine: Engine, libraryFolder?: string, starter = assetPath('starter')): Services {
  const folder = ensureLibraryFolder(libraryFolder)
  const database = openDatabase(databasePath(folder))
  const bus = new ServiceBus()
  const tasks = new Tasks(bus)
  const settings = new SettingsService(database, bus)
  const devices = new DeviceService(database, engine, () => settings.get().device)
  const models = new ModelService(database, engine, bus)
  const pictures = new PictureLibrary(database, folder)
  const adapters = new AdapterService({ database, engine, bus, pictures })
  const supervisor = new RunSupervisor({
    database, engine, bus, libraryFolder: folder, onFinished: (run, file) => adapters.takeFromRun(run, file),
  })
  const prompts = new PromptService(database, bus)
  const templates = new TemplateService(database, engine, bus)
  const rewards = new RewardService({ database, engine, devices, bus, libraryFolder: folder, starter })
  const datasets = new DatasetService(database, engine, pictures, bus)
  const uploads = new UploadService(folder)
  const drawing = { database, engine, bus, devices, models, adapters, templates, pictures }
  let lock: LibraryLock | undefined
  return {
    app: { name: 'Halfstep', version: packageJson.version, libraryFolder: folder },
    bus,
    tasks,
    settings,
    devices,
    models,
    training: new TrainingService({
      database, engine, devices, models, supervisor, adapters, prompts, templates, rewards, datasets, libraryFolder: folder,
    }),
    runs: new RunService(database, supervisor, bus, folder),
    runJudge: new RunJudge(database, engine, folder),
    adapters,
    studio: new StudioService(drawing),
    repairs: new RepairService(drawing),
    prompts,
    templates,
    previews: new PreviewService({ engine, devices, models, bus }),
    rewards,
    tastes: new TasteService({ database, engine, devices, rewards, pictures }),
    datasets,
    bin: new BinService(database, pictures, bus),
    library: new LibraryService({ database, pictures, adapters, libraryFolder: folder }, bus),
    uploads,
    start() {
      this.lock()
      void uploads.discardAll()
      supervisor.start()
      void addBuiltInModel({ models, adapters, tasks }, starter)
    },
    lock() {
      lock ??= lockLibrary(lockPath(folder))
    },
    close() {
      devices.stop()
      tasks.cancelAll()
      supervisor.close()
      void engine.dispose()
      database.close()
      lock?.release()
    },
  }
}
