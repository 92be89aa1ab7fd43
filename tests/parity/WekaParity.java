// Trains x^2 on 21 points of [-1, 1] with ten hidden nodes in Weka 3.6, by its defaults, for many seeds, and prints the
// final mean squared errors as a JSON list. javac -cp weka.jar WekaParity.java; java -cp weka.jar:. WekaParity [seeds]
import weka.classifiers.functions.MultilayerPerceptron;
import weka.core.Attribute;
import weka.core.FastVector;
import weka.core.Instance;
import weka.core.Instances;

public class WekaParity {
    public static void main(String[] arguments) throws Exception {
        int seeds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 200;
        FastVector attributes = new FastVector();
        attributes.addElement(new Attribute("x"));
        attributes.addElement(new Attribute("y"));
        Instances data = new Instances("square", attributes, 21);
        data.setClassIndex(1);
        for (int n = 0; n < 21; n++) {
            double x = (n - 10) / 10.0;
            data.add(new Instance(1.0, new double[] {x, x * x}));
        }
        StringBuilder text = new StringBuilder("[");
        for (int seed = 0; seed < seeds; seed++) {
            MultilayerPerceptron net = new MultilayerPerceptron();
            net.setHiddenLayers("10");
            net.setSeed(seed);
            net.buildClassifier(data);
            double error = 0;
            for (int n = 0; n < 21; n++) {
                double e = net.classifyInstance(data.instance(n)) - data.instance(n).classValue();
                error += e * e / 21;
            }
            text.append(seed > 0 ? ", " : "").append(String.format("%.9g", error));
        }
        System.out.println(text.append("]"));
    }
}
