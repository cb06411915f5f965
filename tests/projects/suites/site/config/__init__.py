"""The site of the sample project with several suites."""
