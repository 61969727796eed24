import { checkDatabase } from '../../store/check-database.ts'
import { LIBRARY_AREAS, type ServiceBus } from '../service-events.ts'
import type { Task } from '../tasks.ts'
import { backupLibrary } from './backup-library.ts'
import type { Finding } from './findings.ts'
import { repairLibrary, type RepairParts, type RepairReport } from './repair-library.ts'
import { verifyLibrary } from './verify-library.ts'

/** Care for the library as a whole. */
export class LibraryService {
  readonly #parts: RepairParts
  readonly #bus: ServiceBus

  constructor(parts: RepairParts, bus: ServiceBus) {
    this.#parts = parts
    this.#bus = bus
  }

  /** Whether SQLite finds nothing wrong with the database. */
  isDatabaseSound(): boolean {
    return checkDatabase(this.#parts.database).length === 0
  }

  /** Looks whether database and files agree; changes nothing. */
  verify(task: Task): Promise<Finding[]> {
    return verifyLibrary(this.#parts.database, this.#parts.libraryFolder, task)
  }

  /** Brings database and files together again. */
  async repair(task: Task): Promise<RepairReport> {
    try {
      return await repairLibrary(this.#parts, task)
    } finally {
      for (const area of LIBRARY_AREAS) this.#bus.emit('library.changed', { area })
    }
  }

  /** @param target a folder that is empty or not there yet */
  backup(target: string, task: Task): Promise<void> {
    return backupLibrary(this.#parts.database, this.#parts.libraryFolder, target, task)
  }
}
