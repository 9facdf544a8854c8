@echo off
rem Keywright for digiKam's Batch Queue Manager: keywright-queue.cmd "input" "output" --min-confidence 0.9
setlocal DisableDelayedExpansion
"@COMMAND@" queue %3 %4 -- %1 %2
