# Helpers for the mover nodes, see /opt/nodekit/README.
case ":$PATH:" in
  *:/opt/nodekit/bin:*) ;;
  *) PATH=/opt/nodekit/bin:$PATH ;;
esac
export PATH
umask 002
