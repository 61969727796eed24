/** The version that written files name as their origin: package.json's, which the engine may not import (a test compares). */
export const HALFSTEP_VERSION = '0.1.0'
