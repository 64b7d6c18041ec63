set nocompatible ruler
set expandtab shiftwidth=4 softtabstop=4
syntax on
