"""Cannot be imported."""

import not_installed
