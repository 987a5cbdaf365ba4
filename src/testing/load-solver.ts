export { loadSolver } from '../runtime/highs.ts'
