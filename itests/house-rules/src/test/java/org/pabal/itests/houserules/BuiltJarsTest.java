package org.pabal.itests.houserules;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.Utf8Entry;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The rules of the house that can be seen in what was built: who may import whom, who may know
/// OSGi, who may look at the clock.
class BuiltJarsTest {

    private static final Set<String> NOTHING = Set.of();

    private static final Set<String> JAVA_PACKAGES =
            ModuleFinder.ofSystem().findAll().stream()
                    .flatMap(module -> module.descriptor().packages().stream())
                    .collect(Collectors.toSet());

    /// Part of every node, so no bundle has to name them: OSGi itself, the shell, the log.
    private static final List<String> OF_EVERY_NODE =
            List.of("org.osgi.", "org.apache.felix.service.command", "org.slf4j");

    private final List<Part> platform = Part.below("platform");
    private final List<Part> bundles = Part.below("bundles");

    @Test
    void everyPartIsBuilt() {
        List<Path> missing =
                Stream.of("platform", "bundles")
                        .flatMap(below -> Part.folders(below).stream())
                        .filter(folder -> Part.jarOf(folder).isEmpty())
                        .toList();
        assertEquals(List.of(), missing, "no jar in target: mvn package");
    }

    @TestFactory
    Stream<DynamicTest> bundleExportsNothing() {
        return each(
                bundles,
                bundle -> {
                    assertEquals(NOTHING, bundle.packages("Export-Package"), "Export-Package");
                    assertEquals(NOTHING, exports(bundle.module()), "exports of module-info");
                    assertEquals(Set.of(), bundle.module().opens(), "opens of module-info");
                });
    }

    @TestFactory
    Stream<DynamicTest> platformExportsTheSameInModuleInfoAndManifest() {
        return each(
                platform,
                part -> assertEquals(exports(part.module()), part.packages("Export-Package")));
    }

    /// Under Felix the manifest is law, at compile time module-info: what the one imports, the
    /// other has to require.
    @TestFactory
    Stream<DynamicTest> importsOfThePlatformAreRequiredByModuleInfo() {
        Map<String, ModuleDescriptor> modules = new TreeMap<>();
        platform.forEach(part -> modules.put(part.module().name(), part.module()));
        return each(
                all(),
                part -> {
                    Set<String> allowed = new TreeSet<>(part.ownPackages());
                    addReadable(part.module(), modules, allowed);
                    Set<String> imported = part.packages("Import-Package");
                    imported.removeIf(
                            name -> !name.startsWith("org.pabal.") || allowed.contains(name));
                    assertEquals(
                            NOTHING,
                            imported,
                            "imported, but exported by no platform module that module-info"
                                    + " requires");
                });
    }

    @TestFactory
    Stream<DynamicTest> symbolicNameModuleNameAndPackageRootAreTheSame() {
        return each(
                all(),
                part -> {
                    String name = "org.pabal." + part.name().replace('-', '.');
                    assertEquals(name, part.module().name(), "module name");
                    assertEquals(
                            name,
                            part.header("Bundle-SymbolicName").split(";")[0],
                            "Bundle-SymbolicName");
                    Set<String> elsewhere = part.ownPackages();
                    elsewhere.removeIf(
                            own ->
                                    !own.startsWith("org.pabal.")
                                            || own.equals(name)
                                            || own.startsWith(name + "."));
                    assertEquals(NOTHING, elsewhere, "packages outside of " + name);
                });
    }

    @TestFactory
    Stream<DynamicTest> bundleImportsNoOtherBundle() {
        return each(
                bundles,
                bundle -> {
                    Set<String> foreign = new TreeSet<>();
                    for (Part other : bundles) {
                        if (other != bundle) {
                            foreign.addAll(other.ownPackages());
                        }
                    }
                    foreign.retainAll(bundle.packages("Import-Package"));
                    assertEquals(NOTHING, foreign, "Import-Package");
                    Set<String> names =
                            bundles.stream()
                                    .map(other -> other.module().name())
                                    .collect(Collectors.toSet());
                    Set<String> required = requires(bundle.module());
                    required.retainAll(names);
                    assertEquals(NOTHING, required, "requires of module-info");
                });
    }

    /// Imported or embedded: whoever installs a bundle has to know what comes with it.
    @TestFactory
    Stream<DynamicTest> thirdPartiesAreNamedInTheReadme() {
        return each(
                bundles,
                bundle -> {
                    Set<String> thirdParties = bundle.packages("Import-Package");
                    thirdParties.addAll(bundle.ownPackages());
                    thirdParties.removeIf(
                            name ->
                                    name.startsWith("java.")
                                            || name.startsWith("org.pabal.")
                                            || JAVA_PACKAGES.contains(name)
                                            || OF_EVERY_NODE.stream().anyMatch(name::startsWith));
                    String readme = bundle.readme().orElse("");
                    thirdParties.removeIf(name -> readme.contains(vendor(name)));
                    assertEquals(
                            NOTHING,
                            thirdParties,
                            "imported or embedded, but README.md does not name their vendor's"
                                    + " packages");
                });
    }

    /// Sessions, workers and codecs are plain Java: only the doorway, which Declarative Services
    /// makes, and the shell know OSGi.
    @TestFactory
    Stream<DynamicTest> onlyDoorwaysAndShellsKnowOsgi() {
        return each(
                bundles,
                bundle -> {
                    Set<String> knowing = new TreeSet<>();
                    for (ClassModel model : bundle.classes()) {
                        String name = Part.nameOf(model);
                        String outer =
                                name.contains("$") ? name.substring(0, name.indexOf('$')) : name;
                        boolean may =
                                bundle.components().contains(outer)
                                        || outer.substring(outer.lastIndexOf('.')).contains("Shell")
                                        || outer.endsWith(".package-info")
                                        || !outer.startsWith("org.pabal.");
                        if (!may && mentions(model, "org/osgi/", "org/apache/felix/")) {
                            knowing.add(name);
                        }
                    }
                    assertEquals(NOTHING, knowing, "classes that know OSGi");
                });
    }

    /// The versioning annotations are the contract's own words; everything else of OSGi stays out.
    @TestFactory
    Stream<DynamicTest> platformKnowsNothingOfOsgiButItsAnnotations() {
        return each(
                platform,
                part -> {
                    Set<String> knowing =
                            part.classes().stream()
                                    .filter(
                                            model ->
                                                    mentions(
                                                            model,
                                                            "org/osgi/framework",
                                                            "org/osgi/service",
                                                            "org/osgi/util",
                                                            "org/apache/felix/"))
                                    .map(Part::nameOf)
                                    .collect(Collectors.toCollection(TreeSet::new));
                    assertEquals(NOTHING, knowing, "classes that know OSGi");
                });
    }

    /// The time of day comes from the `InstantSource` service, so that a test can move it.
    @TestFactory
    Stream<DynamicTest> nobodyLooksAtTheClock() {
        return each(
                all(),
                part -> {
                    Set<String> looks = new TreeSet<>();
                    for (ClassModel model : part.classes()) {
                        if (Part.nameOf(model).startsWith("org.pabal.")) {
                            for (PoolEntry entry : model.constantPool()) {
                                if (entry instanceof MemberRefEntry member && readsClock(member)) {
                                    looks.add(
                                            Part.nameOf(model)
                                                    + ": "
                                                    + member.owner().asInternalName()
                                                    + "."
                                                    + member.name());
                                }
                            }
                        }
                    }
                    assertEquals(NOTHING, looks);
                });
    }

    static boolean readsClock(MemberRefEntry member) {
        String owner = member.owner().asInternalName();
        String name = member.name().stringValue();
        String type = member.type().stringValue();
        return switch (owner) {
            case "java/lang/System" -> name.equals("currentTimeMillis");
            case "java/util/Date", "java/util/GregorianCalendar" ->
                    name.equals("<init>") && type.equals("()V");
            case "java/util/Calendar" -> name.equals("getInstance");
            case "java/time/Clock" ->
                    name.startsWith("system")
                            || name.startsWith("tick") && !type.contains("Clock;");
            case "java/time/InstantSource" -> name.equals("system");
            default ->
                    owner.startsWith("java/time/")
                            && name.equals("now")
                            && !type.contains("Clock;");
        };
    }

    static boolean mentions(ClassModel model, String... prefixes) {
        for (PoolEntry entry : model.constantPool()) {
            if (entry instanceof Utf8Entry text) {
                for (String prefix : prefixes) {
                    if (text.stringValue().startsWith(prefix)
                            || text.stringValue().contains("L" + prefix)) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    /// The part of a package name that says whose it is: `org.xbill`, `org.apache.james`.
    static String vendor(String packageName) {
        String[] words = packageName.split("\\.");
        int length =
                packageName.startsWith("org.apache.") || packageName.startsWith("com.google.")
                        ? 3
                        : 2;
        return String.join(".", List.of(words).subList(0, Math.min(words.length, length)));
    }

    private List<Part> all() {
        return Stream.concat(platform.stream(), bundles.stream()).toList();
    }

    private static Stream<DynamicTest> each(List<Part> parts, Consumer<Part> rule) {
        return parts.stream()
                .map(
                        part ->
                                DynamicTest.dynamicTest(
                                        part.name(),
                                        () -> {
                                            try {
                                                rule.accept(part);
                                            } catch (AssertionError e) {
                                                throw new AssertionError(
                                                        part.name() + ": " + e.getMessage(), e);
                                            }
                                        }));
    }

    private static Set<String> exports(ModuleDescriptor module) {
        return module.exports().stream()
                .map(ModuleDescriptor.Exports::source)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> requires(ModuleDescriptor module) {
        return module.requires().stream()
                .map(ModuleDescriptor.Requires::name)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static void addReadable(
            ModuleDescriptor module, Map<String, ModuleDescriptor> modules, Set<String> packages) {
        for (ModuleDescriptor.Requires requires : module.requires()) {
            if (modules.containsKey(requires.name())) {
                ModuleDescriptor required = modules.get(requires.name());
                packages.addAll(exports(required));
                addTransitive(required, modules, packages);
            }
        }
    }

    private static void addTransitive(
            ModuleDescriptor module, Map<String, ModuleDescriptor> modules, Set<String> packages) {
        for (ModuleDescriptor.Requires requires : module.requires()) {
            if (requires.modifiers().contains(ModuleDescriptor.Requires.Modifier.TRANSITIVE)
                    && modules.containsKey(requires.name())) {
                packages.addAll(exports(modules.get(requires.name())));
                addTransitive(modules.get(requires.name()), modules, packages);
            }
        }
    }
}
