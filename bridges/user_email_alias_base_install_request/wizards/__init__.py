from . import base_module_install_request
