// Plain JavaScript, because scripts/test.mjs loads it before anything is installed.

/**
 * How many tests passed, failed and were skipped, by name where someone has to look.
 * @typedef {{ passed: number, failed: number, skipped: string[], line: string }} Tally
 */

/**
 * @typedef {{ status: string, fullName: string }} TestRow
 * @typedef {{ name: string, status: string, assertionResults: TestRow[] }} FileRow
 */

/**
 * Counts the report that Vitest's JSON reporter wrote. A file that could not run at all counts as one failed test.
 * @param {{ testResults: FileRow[] }} report
 * @returns {Tally}
 */
export function tally(report) {
  const tests = report.testResults.flatMap((file) => file.assertionResults)
  const deadFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(isFailed),
  )
  const passed = tests.filter(({ status }) => status === 'passed').length
  const failed = tests.filter(isFailed).length + deadFiles.length
  const skipped = tests
    .filter((test) => test.status !== 'passed' && !isFailed(test))
    .map(({ fullName }) => fullName)
  const rest = skipped.length === 0 ? '' : `, ${skipped.length} skipped`
  return { passed, failed, skipped, line: `${passed} passed, ${failed} failed${rest}` }
}

/**
 * @param {TestRow} test
 * @returns {boolean}
 */
function isFailed({ status }) {
  return status === 'failed'
}
